// The number that a crop is padded with, as the bytes of a pixel's channel.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <type_traits>

#include "bindings/bind.h"

namespace refpix::bind {

// Repeated to four bytes.
template <typename T>
std::uint32_t crop_fill_of(double pad) {
    if constexpr (std::is_integral_v<T>) {
        require(pad == std::floor(pad) && pad >= double{std::numeric_limits<T>::min()} &&
                    pad <= double{std::numeric_limits<T>::max()},
                "pad: not a value that images can have");
    }
    const T value = static_cast<T>(pad);
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, &value, sizeof value);
    return sizeof value == 1 ? bytes * 0x01010101u : bytes;
}

inline std::uint32_t crop_fill(std::string_view type, double pad) {
    return type == "f4"   ? crop_fill_of<float>(pad)
           : type == "i4" ? crop_fill_of<std::int32_t>(pad)
                          : crop_fill_of<std::uint8_t>(pad);
}

}  // namespace refpix::bind
