#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_bbox/rle_bbox.h"
#include "kernels/rle_extent.h"

namespace refpix::cpu {

Status rle_bbox(const RleBbox& args) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads, [&](std::int64_t item) {
        const Status status = args.masks.check_item(item);
        if (!status.ok()) {
            faults.report(status);
            return;
        }
        const rle::Extent box = rle::extent(args.masks.item(item));
        std::int64_t* const out = args.out + 4 * item;
        out[0] = box.x0;
        out[1] = box.y0;
        out[2] = box.x1 - box.x0;
        out[3] = box.y1 - box.y0;
    });
    return faults.status();
}

}  // namespace refpix::cpu
