#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_intersection.h"
#include "kernels/rle_overlap/rle_overlap.h"

namespace refpix {
namespace {

std::int64_t area(const Rle& mask) noexcept {
    std::int64_t sum = 0;
    for (std::int64_t run = 1; run < mask.runs; run += 2) {
        sum += mask.counts[run];
    }
    return sum;
}

Status check_pairs(const RleOverlap& args) noexcept {
    for (std::int64_t pair = 0; pair < args.pair_count; ++pair) {
        const std::int64_t first = args.pairs[2 * pair];
        const std::int64_t second = args.pairs[2 * pair + 1];
        if (first < 0 || first >= args.masks.count || second < 0 || second >= args.masks.count) {
            return {Fault::rle_bad_offsets, pair, -1};
        }
        const Rle a = args.masks.item(first);
        const Rle b = args.masks.item(second);
        if (a.height != b.height || a.width != b.width) {
            return {Fault::rle_size_mismatch, pair, -1};
        }
    }
    return {};
}

void overlap(const RleOverlap& args, const std::int64_t* areas, std::int64_t pair) noexcept {
    const std::int64_t first = args.pairs[2 * pair];
    const std::int64_t second = args.pairs[2 * pair + 1];
    std::int64_t* const out = args.out + 3 * pair;
    out[0] = rle::intersection(args.masks.item(first), args.masks.item(second));
    out[1] = areas[first];
    out[2] = areas[second];
}

}  // namespace

namespace cpu {

Status rle_overlap(const RleOverlap& args) noexcept {
    Status status = args.masks.check();
    if (!status.ok()) {
        return status;
    }
    auto* const areas = new (std::nothrow) std::int64_t[static_cast<std::size_t>(args.masks.count)];
    if (areas == nullptr) {
        return {Fault::out_of_memory};
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads, [&](std::int64_t item) {
        const Status sum = args.masks.check_item(item);
        areas[item] = sum.ok() ? area(args.masks.item(item)) : 0;
        faults.report(sum);
    });
    status = faults.status();
    if (status.ok()) {
        status = check_pairs(args);
    }
    if (status.ok()) {
        parallel_for(args.pair_count, args.threads,
                     [&](std::int64_t pair) { overlap(args, areas, pair); });
    }
    delete[] areas;
    return status;
}

}  // namespace cpu
}  // namespace refpix
