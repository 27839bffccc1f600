// The steps over one row, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::trimap {

template <typename T>
struct Rows {
    // Columns where two rows differ, as bits.
    void (*differing)(const T* a, const T* b, std::int64_t count, std::uint64_t* words) noexcept;
    // 1 where the bit is set, else 2 above the limit and 0 up to it.
    void (*label)(const T* alpha, const std::uint64_t* transition, std::int64_t count, T limit,
                  std::uint8_t* out) noexcept;
    bool (*any_not_finite)(const T* values, std::int64_t count) noexcept;
};

namespace scalar {
extern const Rows<float> float_rows;
extern const Rows<std::uint8_t> byte_rows;
}  // namespace scalar
namespace avx2 {
extern const Rows<float> float_rows;
extern const Rows<std::uint8_t> byte_rows;
}  // namespace avx2

}  // namespace refpix::trimap
