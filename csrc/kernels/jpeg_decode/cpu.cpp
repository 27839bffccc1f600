#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/jpeg_decode/jpeg_decode.h"

namespace refpix::cpu {
namespace {

Status item_size(const JpegDecode& args, std::int64_t item) noexcept {
    JpegHeader header;
    const Status status =
        jpeg_check(args.files.data(item), args.files.length(item), args.options, &header);
    if (!status.ok()) {
        return status;
    }
    const std::int64_t width = header.scaled_width(args.options.scale_denom);
    const std::int64_t height = header.scaled_height(args.options.scale_denom);
    args.sizes[2 * item] = height;
    args.sizes[2 * item + 1] = width;
    if (args.roi != nullptr) {
        const std::int64_t* box = args.roi + 4 * item;
        if (box[0] < 0 || box[1] < 0 || box[0] >= box[2] || box[1] >= box[3] || box[2] > width ||
            box[3] > height) {
            return {Fault::image_bad_roi, -1, -1};
        }
        args.sizes[2 * item] = box[3] - box[1];
        args.sizes[2 * item + 1] = box[2] - box[0];
    }
    return {};
}

Status decode_whole(JpegReader& reader, std::uint8_t* pixels) noexcept {
    const std::int64_t stride = reader.width() * 3;
    for (std::int64_t row = 0, got = 0; row < reader.height(); row += got) {
        const Status status =
            reader.read(pixels + row * stride, stride, reader.height() - row, &got);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Status decode_item(const JpegDecode& args, std::int64_t item) noexcept {
    thread_local JpegReader reader;
    std::uint8_t* pixels = args.pixels + args.offsets[item];
    Status status = reader.open(args.files.data(item), args.files.length(item), args.options);
    if (status.ok()) {
        const std::int64_t* box = args.roi == nullptr ? nullptr : args.roi + 4 * item;
        status = box == nullptr ? decode_whole(reader, pixels)
                                : reader.read_box({box[0], box[1], box[2], box[3]}, pixels);
    }
    reader.close();
    return status;
}

}  // namespace

Status jpeg_decode_sizes(const JpegDecode& args) noexcept {
    const Status bounds = args.files.check();
    if (!bounds.ok()) {
        return bounds;
    }
    FirstFault faults;
    parallel_for(args.files.count, args.threads, [&](std::int64_t item) {
        const Status status = item_size(args, item);
        faults.report({status.fault, item, status.position});
    });
    args.offsets[0] = 0;
    for (std::int64_t item = 0; faults.status().ok() && item < args.files.count; ++item) {
        args.offsets[item + 1] =
            args.offsets[item] + args.sizes[2 * item] * args.sizes[2 * item + 1] * 3;
    }
    return faults.status();
}

Status jpeg_decode(const JpegDecode& args) noexcept {
    FirstFault faults;
    parallel_for(args.files.count, args.threads, [&](std::int64_t item) {
        const Status status = decode_item(args, item);
        faults.report({status.fault, item, status.position});
    });
    return faults.status();
}

}  // namespace refpix::cpu
