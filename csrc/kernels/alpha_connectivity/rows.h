// The steps over one row, once per instruction set.
#pragma once

#include "kernels/alpha_connectivity/alpha_connectivity.h"

namespace refpix::connectivity {

inline constexpr int steps = 10;  // thresholds above 0

struct Row {
    const float* pred;
    const float* gt;
    const std::uint8_t* trimap;  // or nullptr
    std::int64_t width;
};

struct Rows {
    // How many of the ten thresholds both mattes reach. False when a value is out of range.
    bool (*levels)(const Row& row, const float* thresholds, std::uint8_t* out) noexcept;
    // Pixels of at least that level, as bits.
    void (*reaching)(const std::uint8_t* levels, std::int64_t width, int least,
                     std::uint64_t* words) noexcept;
    // Adds the row's errors; `kept`: up to which level a pixel lies in the largest parts.
    void (*add)(const Row& row, const std::uint8_t* kept, float* terms, double* sums) noexcept;
};

namespace scalar {
extern const Rows rows;
}
namespace avx2 {
extern const Rows rows;
}

}  // namespace refpix::connectivity
