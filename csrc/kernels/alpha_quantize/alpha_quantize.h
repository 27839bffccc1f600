// Mattes of floating point to bytes: value * 255, truncated.
#pragma once

#include <cstdint>

#include "core/status.h"
#include "kernels/alpha_planes.h"

namespace refpix {

struct AlphaQuantize {
    alpha::PlaneType type = alpha::PlaneType::float32;
    const void* planes = nullptr;  // (count, height, width) of `type`, values 0..1
    std::int64_t count = 0, height = 0, width = 0;
    const std::int64_t* boxes = nullptr;  // (count, 4) x, y, w, h: zero outside; null: all
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, height, width)
};

namespace cpu {
Status alpha_quantize(const AlphaQuantize& args) noexcept;
}  // namespace cpu

}  // namespace refpix
