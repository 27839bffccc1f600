#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/alpha_temporal/change.h"

namespace refpix::cpu {
namespace {

// Both frames of a pair that was refused, the earlier one first; items are counted over all maps.
Status fault_of(const AlphaChange& change, std::int64_t first, std::int64_t second) noexcept {
    const std::int64_t pixels = change.height * change.width;
    const Status earlier = alpha_fault(change.pred[0], change.gt[0], change.trimap, pixels, first);
    return earlier.ok() ? alpha_fault(change.pred[1], change.gt[1], nullptr, pixels, second)
                        : earlier;
}

Status sum_pair(const AlphaTemporal& args, std::int64_t pair) noexcept {
    thread_local Scratch<float> terms;
    if (!terms.reserve(args.maps.width + 1)) {
        return {Fault::out_of_memory, pair, -1};
    }
    const std::int64_t pixels = args.maps.height * args.maps.width;
    const std::int64_t later = pair + args.instances;
    const std::int64_t sums = pair * trimap_labels;
    for (int label = 0; label < trimap_labels; ++label) {
        args.areas[sums + label] = 0;
        args.squared[sums + label] = 0;
    }
    const AlphaChange change{
        {args.maps.pred + pair * pixels, args.maps.pred + later * pixels},
        {args.maps.gt + pair * pixels, args.maps.gt + later * pixels},
        args.maps.trimap == nullptr ? nullptr : args.maps.trimap + pair * pixels,
        args.maps.height,
        args.maps.width,
        terms.data(),
        args.areas + sums,
        args.squared + sums};
#if defined(REFPIX_X86)
    const auto run = active_isa() >= Isa::avx2 ? avx2::alpha_change : scalar::alpha_change;
#else
    const auto run = scalar::alpha_change;
#endif
    const bool fine = run(change);
    terms.release_large();
    return fine ? Status{} : fault_of(change, pair, later);
}

}  // namespace

Status alpha_temporal(const AlphaTemporal& args) noexcept {
    FirstFault faults;
    parallel_for((args.frames - 1) * args.instances, args.threads,
                 [&](std::int64_t pair) { faults.report(sum_pair(args, pair)); });
    return faults.status();
}

}  // namespace refpix::cpu
