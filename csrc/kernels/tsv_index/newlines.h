// The scan for newlines, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::tsv {

// Offsets that one block may add, and so the room that must be left to scan it.
inline constexpr std::int64_t newline_block = 256;

// Scans values[*next, stop) and writes, for every newline, the offset of the byte after it. Ends
// at stop, or earlier when fewer than newline_block places are left; *next is where to go on.
// Returns how many offsets it wrote.
using Newlines = std::int64_t(const std::uint8_t* values, std::int64_t* next, std::int64_t stop,
                              std::int64_t* ends, std::int64_t room) noexcept;

namespace scalar {
Newlines newlines;
}
namespace avx2 {
Newlines newlines;
}
namespace avx512 {
Newlines newlines;
}

}  // namespace refpix::tsv
