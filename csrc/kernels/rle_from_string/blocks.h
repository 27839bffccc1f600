// Numbers 64 characters at a time.
#pragma once

#include <cstdint>

namespace refpix::rle {

// Where a text has been read up to, a number's start, and how many numbers came before.
struct Cursor {
    std::int64_t next = 0;
    std::int64_t runs = 0;
};

// Characters that a block looks at: 64 and those behind them that a load of 8 may touch.
inline constexpr std::int64_t block_characters = 72;

namespace avx2 {
// Reads on while block_characters are left, all characters of a block are in the alphabet, its
// numbers have 8 characters at most and give runs of 32 bits. Of the block after that nothing is
// read. At least three numbers came before.
void parse_blocks(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                  Cursor* at) noexcept;
// The same of the last characters, fewer than block_characters.
void parse_rest(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                Cursor* at) noexcept;
}  // namespace avx2

}  // namespace refpix::rle
