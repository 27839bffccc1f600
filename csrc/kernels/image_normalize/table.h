// One byte to one normalised value: there are only 256 per channel, so every backend looks them up.
//
// The arithmetic is NumPy's (and torchvision's ToTensor, Normalize) in float32, every step rounded;
// 16-bit types are rounded from that float32, to nearest, ties to even.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace refpix::normalize {

REFPIX_HD inline float value(std::uint8_t byte, float mean, float std) {
    const float scaled = static_cast<float>(byte) / 255.0f;
    return (scaled - mean) / std;
}

REFPIX_HD inline std::uint32_t float_bits(float value) {
    union {
        float number;
        std::uint32_t bits;
    } both;  // memcpy is no device function everywhere; compilers define this use of a union
    both.number = value;
    return both.bits;
}

// Adds half of the last kept place, less one when that place is even: ties go to even.
REFPIX_HD inline std::uint32_t shift_right_to_even(std::uint32_t bits, int places) {
    const std::uint32_t odd = (bits >> places) & 1u;
    return (bits + (1u << (places - 1)) - 1u + odd) >> places;
}

REFPIX_HD inline std::uint16_t bfloat16_bits(float value) {
    const std::uint32_t bits = float_bits(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        return 0x7fc0u;  // every NaN becomes the one torch gives
    }
    return static_cast<std::uint16_t>(shift_right_to_even(bits, 16));
}

REFPIX_HD inline std::uint16_t float16_bits(float value) {
    const std::uint32_t bits = float_bits(value);
    const std::uint32_t sign = (bits >> 16) & 0x8000u;
    const std::uint32_t magnitude = bits & 0x7fffffffu;
    std::uint32_t half;
    if (magnitude > 0x7f800000u) {
        half = 0x7e00u;
    } else if (magnitude >= 0x477ff000u) {  // 65520 and up round to infinity
        half = 0x7c00u;
    } else if (magnitude >= 0x38800000u) {  // normal: move the exponent's bias from 127 to 15
        half = shift_right_to_even(magnitude - 0x38000000u, 13);
    } else if (magnitude >= 0x33000000u) {  // subnormal: in units of 2^-24
        const int exponent = static_cast<int>(magnitude >> 23);
        half = shift_right_to_even((magnitude & 0x7fffffu) | 0x800000u, 126 - exponent);
    } else {
        half = 0;
    }
    return static_cast<std::uint16_t>(sign | half);
}

// Converters for code that is a template over the output: Convert::apply(value(...)).
struct Float32 {
    using Type = float;
    REFPIX_HD static Type apply(float value) { return value; }
};
struct Float16 {
    using Type = std::uint16_t;
    REFPIX_HD static Type apply(float value) { return float16_bits(value); }
};
struct BFloat16 {
    using Type = std::uint16_t;
    REFPIX_HD static Type apply(float value) { return bfloat16_bits(value); }
};

// entries[256 * channel + byte]
template <typename Convert>
inline void fill_table(const float mean[3], const float std[3], typename Convert::Type* entries) {
    for (int channel = 0; channel < 3; ++channel) {
        for (int byte = 0; byte < 256; ++byte) {
            entries[256 * channel + byte] =
                Convert::apply(value(static_cast<std::uint8_t>(byte), mean[channel], std[channel]));
        }
    }
}

}  // namespace refpix::normalize
