// The passes over one map, once per instruction set.
#pragma once

#include "kernels/alpha_gradient/alpha_gradient.h"

namespace refpix::gradient {

// Columns beside a buffered row: `margin` before it and at least as many after, so that vectors
// may run over its end. Floats from one row to the next.
inline constexpr std::int64_t margin = 16;
inline std::int64_t stride(std::int64_t width) noexcept {
    return (width + 4 * margin - 1) / margin * margin;
}

struct Range {
    float low;
    float divisor;  // high - low + 1e-6, or 1: a map x is taken as (x - low) / divisor
};

struct Map {
    const float* maps[2];  // pred, gt
    Range ranges[2];
    bool normalized;
    const std::uint8_t* trimap;  // or nullptr
    std::int64_t height;
    std::int64_t width;
    AlphaPadding padding;
    float* room;      // room_rows * stride(width) floats
    double* squared;  // (3,)
};

inline constexpr int ring_rows = 2 * gradient_radius + 1;
inline constexpr int room_rows = 2 * ring_rows + 1 + 4;  // and zeros, two sums, two magnitudes

namespace scalar {
// Least and greatest value; false when one is out of range.
bool extent(const float* values, std::int64_t count, float* low, float* high) noexcept;
bool trimap_fits(const std::uint8_t* labels, std::int64_t count) noexcept;
void sum_map(const Map& map) noexcept;
}  // namespace scalar
namespace avx2 {
bool extent(const float* values, std::int64_t count, float* low, float* high) noexcept;
bool trimap_fits(const std::uint8_t* labels, std::int64_t count) noexcept;
void sum_map(const Map& map) noexcept;
}  // namespace avx2
namespace avx512 {
void sum_map(const Map& map) noexcept;
}  // namespace avx512

}  // namespace refpix::gradient
