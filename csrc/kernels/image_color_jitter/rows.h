// The steps over many pixels, once per instruction set.
#pragma once

#include <cstdint>

#include "kernels/image_color_jitter/steps.h"

namespace refpix::jitter {

struct Pixels {
    // Steps first..stop-1 of the plan, from `in` to `out`, which may be the same; returns the sum
    // of the gray picture.
    std::uint64_t (*run)(const Plan& plan, int first, int stop, const std::uint8_t* in,
                         std::int64_t count, std::uint8_t* out) noexcept;
};

namespace scalar {
extern const Pixels pixels;
}
namespace avx2 {
extern const Pixels pixels;
}

}  // namespace refpix::jitter
