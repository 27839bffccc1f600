// What each step makes of a pixel: Pillow's arithmetic, shared by the CPU and the device.
//
// Blends are single precision, each operation rounded. The hue step has no need of Pillow's
// doubles: what it does in integers and single precision gives the same bytes for all colours,
// which the tests show.
//
// Source: Pillow, ImageEnhance.py, src/libImaging/Blend.c and Convert.c.
#pragma once

#include <cfloat>
#include <cstdint>

#include "kernels/image_color_jitter/image_color_jitter.h"

namespace refpix::jitter {

inline constexpr int brightness = 0, contrast = 1, saturation = 2, hue = 3, nothing = 4;
inline constexpr int step_count = 4;

struct Pixel {
    std::int32_t r, g, b;  // 0..255
};

// What is to be done to a picture.
struct Plan {
    std::uint32_t steps;     // a byte each, the first one lowest
    float factors[3];        // of the blends
    std::int32_t hue_shift;  // 0..255
    std::int32_t mean;       // of the gray picture that contrast sees

    REFPIX_HD int step(int at) const noexcept { return static_cast<int>(steps >> (8 * at) & 255); }

    // Which step is contrast; step_count when none is.
    REFPIX_HD int contrast_at() const noexcept {
        int at = 0;
        while (at < step_count && step(at) != contrast) {
            ++at;
        }
        return at;
    }
};

REFPIX_HD inline double factor(const ImageColorJitter& args, std::int64_t item, int step) noexcept {
    const std::int64_t at = step_count * item + step;
    return args.double_factors ? static_cast<const double*>(args.factors)[at]
                               : double{static_cast<const float*>(args.factors)[at]};
}

REFPIX_HD inline int step_of(const ImageColorJitter& args, std::int64_t item, int at) noexcept {
    return args.orders == nullptr ? at : args.orders[step_count * item + at];
}

REFPIX_HD inline Status check(const ImageColorJitter& args, std::int64_t item) noexcept {
    const std::int64_t size = args.double_factors ? sizeof(double) : sizeof(float);
    for (int step = 0; step < step_count; ++step) {
        const double value = factor(args, item, step);
        if (!(value - value == 0)) {
            return {Fault::augment_not_finite, item, step * size};
        }
        if (step == hue ? value < -0.5 || value > 0.5 : value < 0 || value > double{FLT_MAX}) {
            return {Fault::augment_out_of_range, item, step * size};
        }
    }
    unsigned seen = 0;
    for (int at = 0; at < step_count; ++at) {
        const int step = step_of(args, item, at);
        if (step > nothing || (seen >> step & 1) != 0) {
            return {Fault::augment_out_of_range, item, -1};
        }
        seen |= step == nothing ? 0 : 1u << step;
    }
    return {};
}

REFPIX_HD inline Plan plan_of(const ImageColorJitter& args, std::int64_t item) noexcept {
    Plan plan{};
    for (int at = 0; at < step_count; ++at) {
        plan.steps |= static_cast<std::uint32_t>(step_of(args, item, at)) << (8 * at);
    }
    for (int step = 0; step < hue; ++step) {
        plan.factors[step] = static_cast<float>(factor(args, item, step));
    }
    plan.hue_shift = static_cast<std::int32_t>(factor(args, item, hue) * 255.0) & 255;
    return plan;
}

REFPIX_HD inline std::int32_t gray(const Pixel& pixel) noexcept {
    return (pixel.r * 19595 + pixel.g * 38470 + pixel.b * 7471 + 0x8000) >> 16;
}

// Of a gray picture's sum.
REFPIX_HD inline std::int32_t rounded_mean(std::uint64_t sum, std::int64_t pixels) noexcept {
    return static_cast<std::int32_t>(static_cast<double>(sum) / static_cast<double>(pixels) + 0.5);
}

REFPIX_HD inline std::int32_t blend(std::int32_t from, std::int32_t to, float factor) noexcept {
    const float value = static_cast<float>(from) + factor * static_cast<float>(to - from);
    const float low = value > 0.0f ? value : 0.0f;
    return static_cast<std::int32_t>(low < 255.0f ? low : 255.0f);
}

REFPIX_HD inline Pixel blend(std::int32_t from, const Pixel& to, float factor) noexcept {
    return {blend(from, to.r, factor), blend(from, to.g, factor), blend(from, to.b, factor)};
}

REFPIX_HD inline std::int32_t larger(std::int32_t a, std::int32_t b) noexcept {
    return a > b ? a : b;
}

REFPIX_HD inline std::int32_t smaller(std::int32_t a, std::int32_t b) noexcept {
    return a < b ? a : b;
}

// floor(255 * turn) of the exact product; a number below 1/256 may lose its last bits, and gives 0.
REFPIX_HD inline std::int32_t hue_byte(float turn) noexcept {
    const auto fixed = static_cast<std::int32_t>(turn * 2147483648.0f);
    return ((fixed >> 16) * 255 + ((fixed & 0xffff) * 255 >> 16)) >> 15;
}

// The hue as a fraction of a turn is where the middle channel stands between the others, before or
// behind the third of the circle that the greatest names. Of gray it is anything, as it does not
// matter there. Arithmetic in place of conditions, so that compilers make vectors of it.
REFPIX_HD inline std::int32_t hue_of(const Pixel& pixel, std::int32_t most,
                                     std::int32_t least) noexcept {
    const std::int32_t middle = pixel.r + pixel.g + pixel.b - most - least;
    const float x = static_cast<float>(most - middle) / static_cast<float>(larger(most - least, 1));
    const std::int32_t red = pixel.r == most;
    const std::int32_t blue = (pixel.g != most) & (red ^ 1);
    const std::int32_t lowest = blue ? pixel.r == least : pixel.b == least;
    const std::int32_t side = 1 - 2 * (lowest & (red ^ 1));
    const std::int32_t third = 2 * (red ^ 1) + 2 * blue;
    const float sixths = static_cast<float>(third + side) - static_cast<float>(side) * x;
    const std::int32_t wraps = red & (lowest ^ 1);
    const float sign = static_cast<float>(1 - 2 * wraps);
    return hue_byte(static_cast<float>(wraps) + sign * (sixths / 6.0f));
}

// A channel of a colour: how far it falls short, 0..255, is a trapezoid of the hue in sixths. The
// quotient is never a half, as its divisor is odd.
REFPIX_HD inline std::int32_t channel(std::int32_t most, std::int32_t s,
                                      std::int32_t shortfall) noexcept {
    const std::int32_t within = smaller(larger(shortfall, 0), 255);
    return (most * (65025 - s * within) + 32512) / 65025;
}

REFPIX_HD inline Pixel shift_hue(const Pixel& pixel, std::int32_t shift) noexcept {
    const std::int32_t most = larger(larger(pixel.r, pixel.g), pixel.b);
    const std::int32_t least = smaller(smaller(pixel.r, pixel.g), pixel.b);
    const std::int32_t s = static_cast<std::int32_t>(static_cast<float>(255 * (most - least)) /
                                                     static_cast<float>(larger(most, 1)));
    const std::int32_t h = 6 * ((hue_of(pixel, most, least) + shift) & 255);
    return {channel(most, s, smaller(h - 255, 1275 - h)),
            channel(most, s, larger(255 - h, h - 765)),
            channel(most, s, larger(765 - h, h - 1275))};
}

template <int Step>
REFPIX_HD inline Pixel apply(const Plan& plan, const Pixel& pixel) noexcept {
    if constexpr (Step == brightness) {
        return blend(0, pixel, plan.factors[brightness]);
    } else if constexpr (Step == contrast) {
        return blend(plan.mean, pixel, plan.factors[contrast]);
    } else if constexpr (Step == saturation) {
        return blend(gray(pixel), pixel, plan.factors[saturation]);
    } else {
        return shift_hue(pixel, plan.hue_shift);
    }
}

// Calls each(step) with what is a constant to the compiler, for steps first..stop-1 of the plan.
template <int Step>
struct Constant {
    static constexpr int value = Step;
};
template <typename Each>
REFPIX_HD inline void for_steps(const Plan& plan, int first, int stop, const Each& each) noexcept {
    for (int at = first; at < stop; ++at) {
        switch (plan.step(at)) {
            case brightness:
                each(Constant<brightness>{});
                break;
            case contrast:
                each(Constant<contrast>{});
                break;
            case saturation:
                each(Constant<saturation>{});
                break;
            case hue:
                each(Constant<hue>{});
                break;
            default:
                break;
        }
    }
}

}  // namespace refpix::jitter
