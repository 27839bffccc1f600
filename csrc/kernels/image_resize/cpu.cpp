#include <cstring>
#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/image_resize/resizer.h"

namespace refpix {

bool vertical_first(PassOrder order, std::int64_t in_height, std::int64_t in_width,
                    std::int64_t out_height, std::int64_t out_width) noexcept {
    const std::int64_t shrinks_by = in_height - out_height;
    if (shrinks_by <= 0) {
        return false;
    }
    return order == PassOrder::pillow13 ? shrinks_by > 2 * (in_width - out_width)
                                        : in_height > 100 * in_width;
}

namespace cpu {
namespace {

struct Target {
    std::uint8_t* out;
    std::int64_t row_bytes;

    static void emit(void* context, std::int64_t y, const std::uint8_t* row) {
        const auto* target = static_cast<const Target*>(context);
        std::memcpy(target->out + y * target->row_bytes, row, target->row_bytes);
    }
};

Status check(const ImageResize& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const std::int64_t height = args.sizes[2 * item];
        const std::int64_t width = args.sizes[2 * item + 1];
        if (height < 1 || width < 1 || height > resize::max_side || width > resize::max_side) {
            return {Fault::bad_size, item, -1};
        }
        const std::int64_t start = args.offsets[item];
        const std::int64_t stop = args.offsets[item + 1];
        if (start < 0 || stop > args.size || stop - start != height * width * args.channels) {
            return {Fault::span_out_of_bounds, item, start};
        }
    }
    return {};
}

Status resize_item(const ImageResize& args, std::int64_t item) noexcept {
    try {
        thread_local resize::Resizer resizer;
        Target target{
            args.out + item * args.out_height * args.out_width * args.channels,
            args.out_width * args.channels,
        };
        resizer.begin(
            {args.sizes[2 * item], args.sizes[2 * item + 1], args.out_height, args.out_width,
             args.channels, args.filter, args.order, resize::Layout::interleaved},
            {Target::emit, &target});
        resizer.run(args.pixels + args.offsets[item], args.size - args.offsets[item]);
        return {};
    } catch (const std::bad_alloc&) {
        return {Fault::out_of_memory, item, -1};
    }
}

}  // namespace

Status image_resize(const ImageResize& args) noexcept {
    const Status checked = check(args);
    if (!checked.ok()) {
        return checked;
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(resize_item(args, item)); });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
