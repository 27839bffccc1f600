// What resizing on a device works out before it begins: every line's window and weights, in double,
// once per image. The tiles then work in integers only.
#pragma once

#include <cstdint>

#include "kernels/image_resize/image_resize.h"
#include "kernels/image_resize/window.h"

namespace refpix::cuda::tiles {

inline constexpr int threads = 256;
inline constexpr int blocks = 4;  // per multiprocessor

// The input pixels of an output line.
struct Reach {
    std::int32_t first;
    std::int32_t taps;
};

// What makes a weight.
struct Exact {
    double centre;
    double reciprocal;
    double sum;
};

// The lines of a batch: first those down, then those across, of each item.
struct Plan {
    std::int64_t lines;  // of an item
    Exact* exact;
    Reach* reach;
    std::int32_t* weights;  // of an item (kept_taps, out_height), then (kept_taps, out_width)
};

inline Plan plan_of(const ImageResizeRun& run) noexcept {
    const std::int64_t lines = run.args.out_height + run.args.out_width;
    const std::int64_t all = run.args.count * lines;
    Plan plan{lines, static_cast<Exact*>(run.plan), nullptr, nullptr};
    plan.reach = reinterpret_cast<Reach*>(plan.exact + all);
    plan.weights = reinterpret_cast<std::int32_t*>(plan.reach + all);
    return plan;
}
static_assert(sizeof(Exact) + sizeof(Reach) + kept_taps * sizeof(std::int32_t) ==
              plan_words * sizeof(std::int64_t));

__device__ inline double filter_weight(ResizeFilter filter, const Exact& exact, double pixel) {
    const double distance = (pixel - exact.centre + 0.5) * exact.reciprocal;
    return filter == ResizeFilter::bicubic    ? resize::bicubic(distance)
           : filter == ResizeFilter::bilinear ? resize::bilinear(distance)
                                              : resize::box(distance);
}

__device__ inline std::int32_t weight_at(ResizeFilter filter, const Exact& exact, int pixel) {
    return resize::fixed_point(filter_weight(filter, exact, pixel), exact.sum);
}

// One output line's window and weights, `stride` apart.
__device__ inline void plan_line(ResizeFilter filter, std::int64_t in, std::int64_t out,
                                 std::int64_t output, Exact* exact, Reach* reach,
                                 std::int32_t* weights, std::int64_t stride) {
    if (in == out) {  // nothing changes along this axis
        *reach = {static_cast<std::int32_t>(output), 1};
        *weights = 1 << resize::weight_bits;
        return;
    }
    const resize::Axis axis = resize::axis_of(in, out, filter);
    const resize::Window window = resize::window_of(axis, output);
    const auto first = static_cast<std::int32_t>(window.first);
    const auto taps = static_cast<std::int32_t>(window.stop - window.first);
    Exact made{window.centre, axis.reciprocal, 0.0};
    for (int tap = 0; tap < taps; ++tap) {
        made.sum += filter_weight(filter, made, first + tap);
    }
    for (int tap = 0; tap < taps && taps <= kept_taps; ++tap) {
        weights[tap * stride] = weight_at(filter, made, first + tap);
    }
    *exact = made;
    *reach = {first, taps};
}

static __global__ void plan_lines(const __grid_constant__ ImageResizeRun run,
                                  const __grid_constant__ Plan plan) {
    const ImageResize& args = run.args;
    if (*run.first_bad < args.count) {
        return;
    }
    const std::int64_t all = args.count * plan.lines;
    for (std::int64_t at = std::int64_t{blockIdx.x} * threads + threadIdx.x; at < all;
         at += std::int64_t{gridDim.x} * threads) {
        const std::int64_t item = at / plan.lines;
        const std::int64_t line = at % plan.lines;
        const bool across = line >= args.out_height;
        const std::int64_t out = across ? args.out_width : args.out_height;
        const std::int64_t output = across ? line - args.out_height : line;
        const std::int64_t before = item * plan.lines + (across ? args.out_height : 0);
        plan_line(args.filter, args.sizes[2 * item + (across ? 1 : 0)], out, output,
                  plan.exact + at, plan.reach + at, plan.weights + before * kept_taps + output,
                  out);
    }
}

}  // namespace refpix::cuda::tiles
