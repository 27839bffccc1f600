// The arithmetic of one value, shared by the CPU's rows and a device.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace refpix::composite {

// value / 255 to the nearest, for value in 0..65025, given value + 128.
REFPIX_HD inline std::uint32_t divide_255(std::uint32_t biased) {
    return (biased + (biased >> 8)) >> 8;
}

REFPIX_HD inline std::uint8_t paste(std::uint8_t under, std::uint8_t over, std::uint8_t matte) {
    return static_cast<std::uint8_t>(
        divide_255(under * (255U - matte) + static_cast<std::uint32_t>(over) * matte + 128U));
}

// Pillow, src/libImaging/AlphaComposite.c: coefficients with 7 more bits, every division rounded.
REFPIX_HD inline void over_rgba(std::uint8_t* under, const std::uint8_t* over) {
    constexpr std::uint32_t bits = 7;
    const std::uint32_t alpha = over[3];
    if (alpha == 0) {
        return;
    }
    const std::uint32_t rest = under[3] * (255U - alpha);
    const std::uint32_t alpha_255 = alpha * 255U + rest;
    // An opaque background needs no division: alpha_255 is 255 * 255.
    const std::uint32_t front =
        under[3] == 255 ? alpha << bits : (alpha * 255U * 255U << bits) / alpha_255;
    const std::uint32_t back = (255U << bits) - front;
    for (int c = 0; c < 3; ++c) {
        const std::uint32_t sum = over[c] * front + under[c] * back + (128U << bits);
        under[c] = static_cast<std::uint8_t>(divide_255(sum) >> bits);
    }
    under[3] = static_cast<std::uint8_t>(divide_255(alpha_255 + 128U));
}

REFPIX_HD inline float mix(float under, float over, float matte) {
    return under * (1.0F - matte) + over * matte;
}

}  // namespace refpix::composite
