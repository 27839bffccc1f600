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

#define REFPIX_BASE64_BLOCKS                                                              \
    std::int64_t blocks(const std::uint8_t* text, std::int64_t length, std::uint8_t* out, \
                        std::int64_t capacity) noexcept;                                  \
    /* Which alphabets occur, as a union of the flags above. */                           \
    int alphabets(const std::uint8_t* text, std::int64_t length) noexcept;

namespace scalar {
REFPIX_BASE64_BLOCKS
}
namespace avx2 {
REFPIX_BASE64_BLOCKS
}
namespace avx512 {
REFPIX_BASE64_BLOCKS
}
namespace avx512_vbmi {
REFPIX_BASE64_BLOCKS
}
#undef REFPIX_BASE64_BLOCKS

}  // namespace refpix::base64
