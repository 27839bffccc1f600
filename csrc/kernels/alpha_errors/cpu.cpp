#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/alpha_errors/map.h"

namespace refpix::cpu {
namespace {

Status sum_map(const AlphaErrors& args, std::int64_t item) noexcept {
    thread_local Scratch<float> terms;
    const std::int64_t pixels = args.maps.height * args.maps.width;
    const std::int64_t sums = item * trimap_labels;
    if (!terms.reserve(2 * args.maps.width + 1)) {
        return {Fault::out_of_memory, item, -1};
    }
    for (int label = 0; label < trimap_labels; ++label) {
        args.areas[sums + label] = 0;
        args.absolute[sums + label] = args.squared[sums + label] = 0;
    }
    const std::int64_t at = item * pixels;
    const AlphaErrorsMap map{args.maps.pred + at,
                             args.maps.gt + at,
                             args.maps.trimap == nullptr ? nullptr : args.maps.trimap + at,
                             args.maps.height,
                             args.maps.width,
                             terms.data(),
                             args.areas + sums,
                             args.absolute + sums,
                             args.squared + sums};
#if defined(REFPIX_X86)
    const auto run = active_isa() >= Isa::avx2 ? avx2::alpha_errors_map : scalar::alpha_errors_map;
#else
    const auto run = scalar::alpha_errors_map;
#endif
    const bool fine = run(map);
    terms.release_large();
    return fine ? Status{} : alpha_fault(map.pred, map.gt, map.trimap, pixels, item);
}

}  // namespace

Status alpha_errors(const AlphaErrors& args) noexcept {
    FirstFault faults;
    parallel_for(args.maps.count, args.threads,
                 [&](std::int64_t item) { faults.report(sum_map(args, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
