// The fast paths: whole clean groups of four characters, as many as there are.
//
// Each decodes groups from the start of the text and returns how many characters it took, a
// multiple of four; three quarters as many bytes are then valid in `out`. It stops at the first
// block with anything but data, or when the text or the output leaves no room for a whole block.
// It reads nothing behind text + length and writes nothing behind out + capacity.
#pragma once

#include <cstdint>

namespace refpix::base64 {

inline constexpr int no_alphabet = 0;
inline constexpr int standard_alphabet = 1;  // '+' or '/' occurs
inline constexpr int url_alphabet = 2;       // '-' or '_' occurs

using Blocks = std::int64_t(const std::uint8_t* text, std::int64_t length, std::uint8_t* out,
                            std::int64_t capacity) noexcept;
// Which alphabets occur in clean text, as a union of the flags above.
using Alphabets = int(const std::uint8_t* text, std::int64_t length) noexcept;

namespace scalar {
Blocks blocks;
Alphabets alphabets;
}  // namespace scalar
namespace avx2 {
Blocks blocks;
Alphabets alphabets;
}  // namespace avx2
namespace avx512 {
Blocks blocks;
Alphabets alphabets;
}  // namespace avx512
namespace avx512_vbmi {
Blocks blocks;
}

}  // namespace refpix::base64
