#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/image_normalize/slot.h"
#include "kernels/image_resize/resizer.h"
#include "kernels/image_resize_normalize/image_resize_normalize.h"

namespace refpix::cpu {
namespace {

Status resize_item(const ImageResizeNormalize& args, const normalize::Table& table,
                   std::int64_t item) noexcept {
    try {
        thread_local resize::Resizer resizer;
        const ImageResize& from = args.resize;
        const Normalization& to = args.normalization;
        normalize::Slot slot = normalize::slot_of(table, to.out, item, from.out_height,
                                                  from.out_width, to.channels_last);
        resizer.begin({from.sizes[2 * item], from.sizes[2 * item + 1], from.out_height,
                       from.out_width, 3, from.filter, from.order,
                       to.channels_last ? resize::Layout::interleaved : resize::Layout::planar},
                      {normalize::Slot::emit, &slot});
        slot.plane_stride = resizer.plane_stride();
        resizer.run(from.pixels + from.offsets[item], from.size - from.offsets[item]);
        return {};
    } catch (const std::bad_alloc&) {
        return {Fault::out_of_memory, item, -1};
    }
}

}  // namespace

Status image_resize_normalize(const ImageResizeNormalize& args) noexcept {
    const Status checked = resize::check_items(args.resize);
    if (!checked.ok()) {
        return checked;
    }
    const Normalization& to = args.normalization;
    const normalize::Table table = normalize::make_table(to.mean, to.std, to.type);
    FirstFault faults;
    parallel_for(args.resize.count, args.resize.threads,
                 [&](std::int64_t item) { faults.report(resize_item(args, table, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
