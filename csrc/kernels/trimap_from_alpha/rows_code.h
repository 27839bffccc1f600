// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/bit_rows.h"
#include "kernels/trimap_from_alpha/rows.h"

namespace refpix::trimap {
namespace {

template <typename T>
inline void label_row(const T* alpha, const std::uint64_t* transition, std::int64_t count, T limit,
                      std::uint8_t* __restrict out) noexcept {
    for (std::int64_t x = 0; x < count; ++x) {
        out[x] = static_cast<std::uint8_t>(alpha[x] > limit ? 2 : 0);
    }
    for (std::int64_t x = 0; x < count; x += 64) {
        const std::uint64_t bits = transition[x / 64];
        const std::int64_t length = count - x < 64 ? count - x : 64;
        if (length == 64 && bits == ~std::uint64_t{0}) {
            std::memset(out + x, 1, 64);
        } else if (bits != 0) {
            for (std::int64_t i = 0; i < length; ++i) {
                out[x + i] = (bits >> i & 1) != 0 ? 1 : out[x + i];
            }
        }
    }
}

constexpr Rows<float> floats = {differing, label_row<float>, any_not_finite};
constexpr Rows<std::uint8_t> bytes = {differing, label_row<std::uint8_t>, any_not_finite};

}  // namespace
}  // namespace refpix::trimap
