#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_area/rle_area.h"

namespace refpix::cpu {
namespace {

// Runs come in pairs, background and foreground; the compiler vectorises the two sums. They are
// taken in pieces, so that neither wraps before it is looked at.
Status area(const Rles& masks, std::int64_t item, std::int64_t* out) noexcept {
    const Rle mask = masks.item(item);
    std::int64_t background = 0;
    std::int64_t foreground = 0;
    const std::int64_t pairs = mask.runs / 2;
    for (std::int64_t pair = 0; pair < pairs;) {
        const std::int64_t stop = pairs - pair < 32768 ? pairs : pair + 32768;
        for (; pair < stop; ++pair) {
            background += mask.counts[2 * pair];
            foreground += mask.counts[2 * pair + 1];
        }
        if (background > mask.pixels() || foreground > mask.pixels() - background) {
            return {Fault::rle_too_long, item, -1};
        }
    }
    const std::int64_t last = mask.runs % 2 != 0 ? mask.counts[mask.runs - 1] : 0;
    const std::int64_t rest = mask.pixels() - background - foreground - last;
    *out = foreground;
    if (rest != 0) {
        return {rest > 0 ? Fault::rle_too_short : Fault::rle_too_long, item, -1};
    }
    return {};
}

}  // namespace

Status rle_area(const RleArea& args) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads, [&](std::int64_t item) {
        faults.report(area(args.masks, item, args.out + item));
    });
    return faults.status();
}

}  // namespace refpix::cpu
