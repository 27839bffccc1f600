// Rows of bytes to rows of normalised numbers: the inner functions of image_normalize, which the
// fused kernels call as well.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/isa.h"
#include "kernels/image_normalize/image_normalize.h"

namespace refpix::normalize {

// How the float32 entries can be computed instead of looked up. Multiplications and additions beat
// 8 or 16 look-ups by far; make_table takes the shortest formula that gives all 768 to the bit.
enum class Formula {
    scaled,   // fma(v / 255, 1 / std, -mean / std): e.g. where std is a power of two
    divided,  // (v / 255 - mean) / std, quotients by reciprocals and remainders
    none,     // look them up
};

// Everything about one mean and std, made once per batch.
struct Table {
    NormalizeType type;
    Formula formula;
    float mean[3];
    float std[3];
    float reciprocal_std[3];
    float offset[3];  // -mean / std
    float float32[3 * 256];
    std::uint16_t half[3 * 256];  // float16 or bfloat16 bits, when that is the type
};

Table make_table(const float mean[3], const float std[3], NormalizeType type) noexcept;

inline std::int64_t element_bytes(NormalizeType type) {
    return type == NormalizeType::float32 ? 4 : 2;
}

struct RowFunctions {
    // n bytes of one channel to n numbers. Up to 63 bytes behind `in` may be read.
    void (*normalize)(const Table& table, int channel, const std::uint8_t* in, std::int64_t n,
                      void* out) noexcept;
    // RGBRGB... to numbers in the same order.
    void (*normalize_pixels)(const Table& table, const std::uint8_t* rgb, std::int64_t n,
                             void* out) noexcept;
    // RGBRGB... to three planes, plane_stride apart, of which 63 bytes behind the row are written.
    void (*deinterleave)(const std::uint8_t* rgb, std::int64_t n, std::uint8_t* planes,
                         std::ptrdiff_t plane_stride) noexcept;
};

namespace scalar {
void normalize(const Table&, int, const std::uint8_t*, std::int64_t, void*) noexcept;
void normalize_pixels(const Table&, const std::uint8_t*, std::int64_t, void*) noexcept;
void deinterleave(const std::uint8_t*, std::int64_t, std::uint8_t*, std::ptrdiff_t) noexcept;
}  // namespace scalar
namespace avx2 {
void normalize(const Table&, int, const std::uint8_t*, std::int64_t, void*) noexcept;
void normalize_pixels(const Table&, const std::uint8_t*, std::int64_t, void*) noexcept;
void deinterleave(const std::uint8_t*, std::int64_t, std::uint8_t*, std::ptrdiff_t) noexcept;
}  // namespace avx2

RowFunctions row_functions(Isa isa) noexcept;

}  // namespace refpix::normalize
