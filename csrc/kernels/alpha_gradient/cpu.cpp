#include <memory>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/alpha_gradient/passes.h"

namespace refpix::cpu {
namespace {

using gradient::Map;

struct Passes {
    decltype(gradient::scalar::extent)* extent;
    decltype(gradient::scalar::trimap_fits)* trimap_fits;
    decltype(gradient::scalar::sum_map)* sum_map;
};

Passes passes() noexcept {
#if defined(REFPIX_X86)
    namespace avx2 = gradient::avx2;
    if (active_isa() >= Isa::avx512) {
        return {avx2::extent, avx2::trimap_fits, gradient::avx512::sum_map};
    }
    if (active_isa() >= Isa::avx2) {
        return {avx2::extent, avx2::trimap_fits, avx2::sum_map};
    }
#endif
    return {gradient::scalar::extent, gradient::scalar::trimap_fits, gradient::scalar::sum_map};
}

struct Extent {
    float low;
    float high;
};

// Checks a map and finds the extents of its two mattes.
Status look_at(const AlphaGradient& args, const Passes& run, std::int64_t item,
               Extent* extents) noexcept {
    const std::int64_t pixels = args.maps.height * args.maps.width;
    const float* pred = args.maps.pred + item * pixels;
    const float* gt = args.maps.gt + item * pixels;
    const std::uint8_t* trimap =
        args.maps.trimap == nullptr ? nullptr : args.maps.trimap + item * pixels;
    const bool fine = run.extent(pred, pixels, &extents[0].low, &extents[0].high) &&
                      run.extent(gt, pixels, &extents[1].low, &extents[1].high) &&
                      (trimap == nullptr || run.trimap_fits(trimap, pixels));
    return fine ? Status{} : alpha_fault(pred, gt, trimap, pixels, item);
}

Extent joined(const Extent* extents, std::int64_t count) noexcept {
    Extent all = extents[0];
    for (std::int64_t item = 1; item < count; ++item) {
        const Extent& next = extents[2 * item];
        all.low = next.low < all.low ? next.low : all.low;
        all.high = next.high > all.high ? next.high : all.high;
    }
    return all;
}

// The order of torch's float32: (x - low) / ((high - low) + 1e-6).
gradient::Range range(const Extent& extent) noexcept {
    return {extent.low, (extent.high - extent.low) + 1e-6F};
}

Status sum_item(const AlphaGradient& args, const Passes& run, const Extent* extents,
                std::int64_t item) noexcept {
    thread_local Scratch<float> room;
    if (!room.reserve(gradient::room_rows * gradient::stride(args.maps.width))) {
        return {Fault::out_of_memory, item, -1};
    }
    const std::int64_t at = item * args.maps.height * args.maps.width;
    double* squared = args.squared + item * trimap_labels;
    squared[0] = squared[1] = squared[2] = 0;
    const std::int64_t from = args.normalize == AlphaNormalize::map ? 2 * item : 0;
    run.sum_map(Map{{args.maps.pred + at, args.maps.gt + at},
                    {range(extents[from]), range(extents[from + 1])},
                    args.normalize != AlphaNormalize::none,
                    args.maps.trimap == nullptr ? nullptr : args.maps.trimap + at,
                    args.maps.height,
                    args.maps.width,
                    args.padding,
                    room.data(),
                    squared});
    room.release_large();
    return {};
}

}  // namespace

Status alpha_gradient(const AlphaGradient& args) noexcept {
    const std::int64_t count = args.maps.count;
    if (count == 0) {
        return {};
    }
    const std::unique_ptr<Extent[]> extents(new (std::nothrow)
                                                Extent[static_cast<std::size_t>(2 * count)]);
    if (!extents) {
        return {Fault::out_of_memory, -1, -1};
    }
    const Passes run = passes();
    FirstFault faults;
    parallel_for(count, args.threads, [&](std::int64_t item) {
        faults.report(look_at(args, run, item, &extents[2 * item]));
    });
    if (!faults.status().ok()) {
        return faults.status();
    }
    if (args.normalize == AlphaNormalize::batch) {
        const Extent pred = joined(&extents[0], count);
        const Extent gt = joined(&extents[1], count);
        extents[0] = pred;
        extents[1] = gt;
    }
    parallel_for(count, args.threads, [&](std::int64_t item) {
        faults.report(sum_item(args, run, extents.get(), item));
    });
    return faults.status();
}

}  // namespace refpix::cpu
