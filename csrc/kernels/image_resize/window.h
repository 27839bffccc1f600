// Which input pixels make an output pixel, how much of each, and how a sum is rounded: Pillow's
// arithmetic, shared by the CPU and the device. Weights are made in double, where every operation
// rounds alike on both as long as none is fused with another.
//
// Source: Pillow, src/libImaging/Resample.c.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/image_resize/image_resize.h"

namespace refpix::resize {

inline constexpr std::int32_t rounding = 1 << (weight_bits - 1);  // what a sum begins with

// Largest side that is accepted: offsets within a row stay in 32 bits.
inline constexpr std::int64_t max_side = 1 << 26;

REFPIX_HD inline std::uint8_t to_byte(std::int32_t sum) {
    const std::int32_t value = sum >> weight_bits;
    return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

REFPIX_HD inline double magnitude(double x) {
    return x < 0.0 ? -x : x;
}

REFPIX_HD inline double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

REFPIX_HD inline double bilinear(double x) {
    x = magnitude(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

REFPIX_HD inline double bicubic(double x) {
    constexpr double a = -0.5;
    x = magnitude(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    }
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

// In input pixels at a scale of 1.
REFPIX_HD inline double support_of(ResizeFilter filter) {
    switch (filter) {
        case ResizeFilter::box:
            return 0.5;
        case ResizeFilter::bilinear:
            return 1.0;
        case ResizeFilter::lanczos:
            return 3.0;
        case ResizeFilter::bicubic:
            break;
    }
    return 2.0;
}

// One pass from `in` to `out` pixels.
struct Axis {
    std::int64_t in;
    double scale;
    double support;     // in input pixels
    double reciprocal;  // from input pixels to the filter's unit
};

REFPIX_HD inline Axis axis_of(std::int64_t in, std::int64_t out, ResizeFilter filter) {
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double stretch = scale > 1.0 ? scale : 1.0;
    return {in, scale, support_of(filter) * stretch, 1.0 / stretch};
}

// Input pixels first..stop-1 make an output pixel.
struct Window {
    double centre;
    std::int64_t first;
    std::int64_t stop;

    // What the filter is asked for.
    REFPIX_HD double distance(const Axis& axis, std::int64_t pixel) const {
        return (static_cast<double>(pixel) - centre + 0.5) * axis.reciprocal;
    }
};

REFPIX_HD inline Window window_of(const Axis& axis, std::int64_t output) {
    const double centre = (static_cast<double>(output) + 0.5) * axis.scale;
    const auto first = static_cast<std::int64_t>(centre - axis.support + 0.5);
    const auto stop = static_cast<std::int64_t>(centre + axis.support + 0.5);
    return {centre, first < 0 ? 0 : first, stop > axis.in ? axis.in : stop};
}

// `sum`: of all weights in a window.
REFPIX_HD inline std::int32_t fixed_point(double weight, double sum) {
    if (sum != 0.0) {
        weight /= sum;
    }
    const double scaled = weight * (1 << weight_bits);
    return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

// Of one item; `status.item` is left to the caller.
REFPIX_HD inline Status check_item(const ImageResize& args, std::int64_t item) {
    const std::int64_t height = args.sizes[2 * item];
    const std::int64_t width = args.sizes[2 * item + 1];
    if (height < 1 || width < 1 || height > max_side || width > max_side) {
        return {Fault::bad_size, item, -1};
    }
    const std::int64_t start = args.offsets[item];
    const std::int64_t stop = args.offsets[item + 1];
    if (start < 0 || stop > args.size || stop - start != height * width * args.channels) {
        return {Fault::span_out_of_bounds, item, start};
    }
    return {};
}

// Of the first bad one, if there is any.
inline Status check_items(const ImageResize& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = check_item(args, item);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

}  // namespace refpix::resize
