// A row's pixels in reverse order, for the two kinds of pixel that gain from wider registers.
#pragma once

#include <cstdint>

namespace refpix::flip {

// How many pixels, from the row's end, were written to the beginning of `out`.
using MirrorRow = std::int64_t (*)(const std::uint8_t* row, std::int64_t width, std::uint8_t* out);

namespace avx2 {
std::int64_t mirror_bytes(const std::uint8_t* row, std::int64_t width, std::uint8_t* out) noexcept;
std::int64_t mirror_rgb(const std::uint8_t* row, std::int64_t width, std::uint8_t* out) noexcept;
}  // namespace avx2

}  // namespace refpix::flip
