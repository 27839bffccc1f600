// The two inner loops, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::balanced {

constexpr std::int32_t nothing_left = INT32_MAX;

// Vectors first..last - 1 of (words, vectors) bits.
struct Overlap {
    const std::uint64_t* bits;
    std::int64_t vectors;
    std::int64_t words;
    std::int64_t first;
    std::int64_t last;
    const std::uint64_t* picked;  // (words,)
    std::int32_t* overlap;        // (vectors,), nothing_left where a vector is used up
};

// What the published program compares.
struct Spread {
    const double* taken;        // (width,) attributes of all picks so far
    const std::uint64_t* bits;  // words `stride` apart
    std::int64_t stride;
    std::int64_t width;
    double total;   // of taken and of the bits
    double* terms;  // room for width numbers
};

// advance: adds what each vector shares with the last pick to its overlap; returns the least.
// spread: standard deviation of (taken + vector) / (total + 1e-9), rounded as NumPy rounds it.
namespace scalar {
std::int32_t advance(const Overlap& args) noexcept;
double spread(const Spread& args) noexcept;
}  // namespace scalar
namespace avx2 {
std::int32_t advance(const Overlap& args) noexcept;
double spread(const Spread& args) noexcept;
}  // namespace avx2
namespace avx512 {
std::int32_t advance(const Overlap& args) noexcept;
}  // namespace avx512

}  // namespace refpix::balanced
