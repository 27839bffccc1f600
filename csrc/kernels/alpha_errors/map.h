// One map, once per instruction set.
#pragma once

#include "kernels/alpha_errors/alpha_errors.h"

namespace refpix {

struct AlphaErrorsMap {
    const float* pred;
    const float* gt;
    const std::uint8_t* trimap;  // or nullptr
    std::int64_t height;
    std::int64_t width;
    float* terms;  // room for two rows
    std::int64_t* areas;
    double* absolute;
    double* squared;
};

// False when a value is out of range.
namespace scalar {
bool alpha_errors_map(const AlphaErrorsMap& map) noexcept;
}
namespace avx2 {
bool alpha_errors_map(const AlphaErrorsMap& map) noexcept;
}

}  // namespace refpix
