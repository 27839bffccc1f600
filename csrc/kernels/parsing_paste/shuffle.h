// One row of an enlarged label map by byte shuffles: 16 neighbouring output pixels show at most
// 16 neighbouring source pixels.
#pragma once

#include <cstdint>

namespace refpix {

inline constexpr std::int64_t shuffle_block = 16;

namespace avx2 {
// Block b of `out` is source[bases[b] + masks[16 b ...]]; each base leaves 16 bytes to read.
void shuffle_row(const std::uint8_t* source, const std::int32_t* bases, const std::uint8_t* masks,
                 std::int64_t blocks, std::uint8_t* out) noexcept;
}  // namespace avx2

}  // namespace refpix
