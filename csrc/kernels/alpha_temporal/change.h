// One instance between two frames, once per instruction set.
#pragma once

#include "kernels/alpha_temporal/alpha_temporal.h"

namespace refpix {

struct AlphaChange {
    const float* pred[2];        // earlier, later
    const float* gt[2];          // likewise
    const std::uint8_t* trimap;  // of the earlier frame, or nullptr
    std::int64_t height;
    std::int64_t width;
    float* terms;  // room for a row
    std::int64_t* areas;
    double* squared;
};

// False when a value is out of range.
namespace scalar {
bool alpha_change(const AlphaChange& change) noexcept;
}
namespace avx2 {
bool alpha_change(const AlphaChange& change) noexcept;
}

}  // namespace refpix
