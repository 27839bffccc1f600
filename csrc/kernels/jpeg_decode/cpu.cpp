#include <algorithm>
#include <cstring>
#include <vector>

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

// Decodes whole rows and keeps the columns of the box. Measured: entropy decoding is 80 % of the
// work and cannot be skipped, and libjpeg's own cropping changes the pixels along its borders.
Status decode_box(JpegReader& reader, const std::int64_t* box, std::uint8_t* pixels) noexcept {
    constexpr std::int64_t block = 16;
    thread_local std::vector<std::uint8_t> rows;
    const std::int64_t stride = reader.width() * 3;
    const std::int64_t width = (box[2] - box[0]) * 3;
    try {
        rows.resize(static_cast<std::size_t>(stride * block));
    } catch (...) {
        return {Fault::out_of_memory, -1, -1};
    }
    for (std::int64_t row = 0, got = 0; row < box[3]; row += got) {
        const Status status = reader.read(rows.data(), stride, std::min(block, box[3] - row), &got);
        if (!status.ok()) {
            return status;
        }
        for (std::int64_t y = std::max(row, box[1]); y < row + got; ++y) {
            std::memcpy(pixels + (y - box[1]) * width,
                        rows.data() + (y - row) * stride + box[0] * 3,
                        static_cast<std::size_t>(width));
        }
    }
    return {};
}

Status decode_item(const JpegDecode& args, std::int64_t item) noexcept {
    thread_local JpegReader reader;
    std::uint8_t* pixels = args.pixels + args.offsets[item];
    Status status = reader.open(args.files.data(item), args.files.length(item), args.options);
    if (status.ok()) {
        status = args.roi == nullptr ? decode_whole(reader, pixels)
                                     : decode_box(reader, args.roi + 4 * item, pixels);
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
