#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/jpeg_decode/route.h"

namespace refpix::cpu {
namespace {

// Height and width of what comes out, of a box if there is one.
Status output_size(const JpegDecode& args, std::int64_t item, const JpegHeader& header,
                   std::int64_t* size) noexcept {
    const std::int64_t width = header.scaled_width(args.options.scale_denom);
    const std::int64_t height = header.scaled_height(args.options.scale_denom);
    size[0] = height;
    size[1] = width;
    if (args.roi != nullptr) {
        const std::int64_t* box = args.roi + 4 * item;
        if (box[0] < 0 || box[1] < 0 || box[0] >= box[2] || box[1] >= box[3] || box[2] > width ||
            box[3] > height) {
            return {Fault::image_bad_roi, -1, -1};
        }
        size[0] = box[3] - box[1];
        size[1] = box[2] - box[0];
    }
    return {};
}

Status item_size(const JpegDecode& args, std::int64_t item, std::int64_t* size) noexcept {
    JpegHeader header;
    const Status status =
        jpeg_check(args.files.data(item), args.files.length(item), args.options, &header);
    return status.ok() ? output_size(args, item, header, size) : status;
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
        const Status status = item_size(args, item, args.sizes + 2 * item);
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

Status jpeg_routes(const JpegRoutes& args) noexcept {
    const JpegDecode& decode = args.decode;
    const Status bounds = decode.files.check();
    if (!bounds.ok()) {
        return bounds;
    }
    parallel_for(decode.files.count, decode.threads, [&](std::int64_t item) {
        JpegRoute route;
        Status status =
            jpeg_route(decode.files.data(item), decode.files.length(item), decode.options, &route);
        if (status.ok()) {
            status = output_size(decode, item, route.header, decode.sizes + 2 * item);
        }
        if (!status.ok()) {
            route.header = {};
            route.engine = JpegEngine::none;
            route.reason = JpegReason::header;
            decode.sizes[2 * item] = decode.sizes[2 * item + 1] = 0;
        }
        args.pictures[2 * item] = route.header.height;
        args.pictures[2 * item + 1] = route.header.width;
        args.lengths[item] = route.length;
        args.engines[item] = route.engine;
        args.reasons[item] = route.reason;
        args.faults[2 * item] = static_cast<std::int64_t>(status.fault);
        args.faults[2 * item + 1] = status.position;
    });
    return {};
}

Status jpeg_decode_items(const JpegDecode& args, std::int64_t* faults) noexcept {
    const Status bounds = args.files.check();
    if (!bounds.ok()) {
        return bounds;
    }
    parallel_for(args.files.count, args.threads, [&](std::int64_t item) {
        // The room was asked for by these sizes; the header must still say so.
        std::int64_t now[2] = {0, 0};
        Status status = item_size(args, item, now);
        if (status.ok() && (now[0] != args.sizes[2 * item] || now[1] != args.sizes[2 * item + 1])) {
            status = {Fault::jpeg_bad_header, item, -1};
        }
        if (status.ok()) {
            status = decode_item(args, item);
        }
        faults[2 * item] = static_cast<std::int64_t>(status.fault);
        faults[2 * item + 1] = status.position;
    });
    return {};
}

}  // namespace refpix::cpu
