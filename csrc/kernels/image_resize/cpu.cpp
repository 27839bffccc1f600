#include <cstring>
#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/image_resize/resizer.h"

namespace refpix {

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
    const Status checked = resize::check_items(args);
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
