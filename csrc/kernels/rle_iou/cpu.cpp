#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_extent.h"
#include "kernels/rle_intersection.h"
#include "kernels/rle_iou/rle_iou.h"

namespace refpix {
namespace {

using rle::Extent;

bool overlap(const Extent& a, const Extent& b) noexcept {
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

bool same_size(const Rle& a, const Rle& b) noexcept {
    return a.height == b.height && a.width == b.width;
}

// dt and gt as one list.
struct Both {
    const RleIou& args;

    std::int64_t count() const noexcept { return args.dt.count + args.gt.count; }
    Rle item(std::int64_t i) const noexcept {
        return i < args.dt.count ? args.dt.item(i) : args.gt.item(i - args.dt.count);
    }
    Status check() const noexcept {
        const Status status = args.dt.check();
        return status.ok() ? of_gt(args.gt.check()) : status;
    }
    Status check_item(std::int64_t i) const noexcept {
        return i < args.dt.count ? args.dt.check_item(i)
                                 : of_gt(args.gt.check_item(i - args.dt.count));
    }
    Status check_sizes() const noexcept {
        if (args.dt.count > 0 && args.gt.count > 0) {
            for (std::int64_t i = 1; i < count(); ++i) {
                if (!same_size(item(0), item(i))) {
                    return {Fault::rle_size_mismatch, i, -1};
                }
            }
        }
        return {};
    }
    Status of_gt(Status status) const noexcept {
        status.item += status.item >= 0 ? args.dt.count : 0;
        return status;
    }
};

double iou(const RleIou& args, const Extent* extents, std::int64_t d, std::int64_t g) noexcept {
    const Extent& dt = extents[d];
    const Extent& gt = extents[args.dt.count + g];
    if (!overlap(dt, gt)) {
        return 0;
    }
    const Rle a = args.dt.item(d);
    const Rle b = args.gt.item(g);
    if (!same_size(a, b)) {
        return -1;
    }
    const std::int64_t shared = rle::intersection(a, b);
    if (shared == 0) {
        return 0;
    }
    const std::int64_t whole = args.iscrowd[g] != 0 ? dt.area : dt.area + gt.area - shared;
    return static_cast<double>(shared) / static_cast<double>(whole);
}

}  // namespace

namespace cpu {

Status rle_iou(const RleIou& args) noexcept {
    const Both both{args};
    Status status = both.check();
    if (!status.ok()) {
        return status;
    }
    auto* const extents = new (std::nothrow) Extent[static_cast<std::size_t>(both.count())];
    if (extents == nullptr) {
        return {Fault::out_of_memory};
    }
    FirstFault faults;
    parallel_for(both.count(), args.threads, [&](std::int64_t i) {
        const Status item = both.check_item(i);
        if (item.ok()) {
            extents[i] = rle::extent(both.item(i));
        }
        faults.report(item);
    });
    status = faults.status();
    if (status.ok() && args.strict) {
        status = both.check_sizes();
    }
    if (status.ok()) {
        parallel_for(args.dt.count, args.threads, [&](std::int64_t d) {
            for (std::int64_t g = 0; g < args.gt.count; ++g) {
                args.out[d * args.out_stride_dt + g * args.out_stride_gt] =
                    iou(args, extents, d, g);
            }
        });
    }
    delete[] extents;
    return status;
}

}  // namespace cpu
}  // namespace refpix
