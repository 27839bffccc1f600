// The two passes over rows, one implementation per instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/isa.h"
#include "kernels/image_resize/taps.h"

namespace refpix::resize {

inline constexpr int block_rows = 4;  // rows that a horizontal pass takes at once
// Source rows must be readable, and output rows writable, this far past their end.
inline constexpr std::ptrdiff_t row_padding = 64;

enum class Layout {
    interleaved,  // RGBRGB..., or one channel
    planar,       // three planes, each padded to whole vectors: RR...GG...BB...
};

struct HorizontalPass {
    const Taps* taps;
    int channels;  // 1 or 3; planar wants 3
    Layout layout;
    const std::uint8_t* rows[block_rows];
    std::uint8_t* out[block_rows];
    std::ptrdiff_t plane_stride;  // bytes between the planes of an output row
};

struct VerticalPass {
    const Taps* taps;
    std::int64_t output;              // which output row
    const std::uint8_t* const* rows;  // groups * group rows, from taps->start[output]
    std::int64_t bytes;               // of a row, layout does not matter
    std::uint8_t* out;
};

struct RowPasses {
    void (*horizontal)(const HorizontalPass&) noexcept;
    void (*vertical)(const VerticalPass&) noexcept;
};

namespace scalar {
void horizontal(const HorizontalPass& pass) noexcept;
void vertical(const VerticalPass& pass) noexcept;
}  // namespace scalar
namespace avx2 {
void horizontal(const HorizontalPass& pass) noexcept;
void vertical(const VerticalPass& pass) noexcept;
}  // namespace avx2
namespace avx512 {
void horizontal(const HorizontalPass& pass) noexcept;
void vertical(const VerticalPass& pass) noexcept;
}  // namespace avx512

// `has_digits` as in Taps: the AVX-512 passes multiply by 8-bit digits.
RowPasses row_passes(Isa isa, bool has_digits) noexcept;

}  // namespace refpix::resize
