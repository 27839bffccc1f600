// Where two lines of pixels differ, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::rle_changes {

// Bit i: pixel base + i differs from the one it is compared with.
struct Word {
    std::uint64_t bits;
    std::uint32_t base;
};

// Compares a[i] with b[i] for i < length and appends the words that are not 0, bases counting from
// `base`. Returns the new end. Writes one word past it, so that no branch has to guess.
using Compare = Word*(const std::uint8_t* a, const std::uint8_t* b, std::int64_t length,
                      std::uint32_t base, Word* words) noexcept;
// The same with b = a - 1: each pixel of a line against the one before it, which is read once.
using Follow = Word*(const std::uint8_t* line, std::int64_t length, std::uint32_t base,
                     Word* words) noexcept;
// Appends base + i for every bit set, ascending. Returns the new end; writes up to extract_slack
// numbers past it.
using Extract = std::uint32_t*(const Word* words, const Word* end, std::uint32_t* out) noexcept;

inline constexpr std::int64_t extract_slack = 8;

struct Rule {
    Compare* compare;
    Follow* follow;
};

struct Path {
    Rule nonzero;  // pixels differ when one of them is 0 and the other is not
    Rule byte;     // ... when their bytes do
    Extract* extract;
};

namespace scalar {
extern const Path path;
}
namespace avx2 {
extern const Path path;
}
namespace avx512 {
extern const Path path;
}

// Few blocks of pixels have changes: those that have none are told apart without making words.
inline constexpr int block_pixels = 256;

// Block::same(a, b) and Block::all(a, value) look at a block; Block::bits gives the changes of 64
// pixels, of fewer, and Block::last of the last few of a line of more than 64.
template <typename Block>
Word* append_block(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t base,
                   Word* words) noexcept {
    for (int i = 0; i < block_pixels; i += 64) {
        const std::uint64_t bits = Block::bits(a + i, b + i);
        *words = {bits, base + static_cast<std::uint32_t>(i)};
        words += bits != 0;
    }
    return words;
}

// What is left of a line from pixel i on.
template <typename Block>
Word* append_rest(const std::uint8_t* a, const std::uint8_t* b, std::int64_t i, std::int64_t length,
                  std::uint32_t base, Word* words) noexcept {
    for (; i + 64 <= length; i += 64) {
        const std::uint64_t bits = Block::bits(a + i, b + i);
        *words = {bits, base + static_cast<std::uint32_t>(i)};
        words += bits != 0;
    }
    if (i < length) {
        const int rest = static_cast<int>(length - i);
        const std::uint64_t bits =
            i > 0 ? Block::last(a + i, b + i, rest) : Block::bits(a + i, b + i, rest);
        *words = {bits, base + static_cast<std::uint32_t>(i)};
        words += bits != 0;
    }
    return words;
}

template <typename Block>
Word* compare(const std::uint8_t* a, const std::uint8_t* b, std::int64_t length, std::uint32_t base,
              Word* words) noexcept {
    std::int64_t i = 0;
    for (; i + block_pixels <= length; i += block_pixels) {
        if (!Block::same(a + i, b + i)) {
            words = append_block<Block>(a + i, b + i, base + static_cast<std::uint32_t>(i), words);
        }
    }
    return append_rest<Block>(a, b, i, length, base, words);
}

template <typename Block>
Word* follow(const std::uint8_t* line, std::int64_t length, std::uint32_t base,
             Word* words) noexcept {
    std::int64_t i = 0;
    for (; i + block_pixels <= length; i += block_pixels) {
        const std::uint8_t* const at = line + i;
        if (!Block::all(at, at[-1])) {
            words = append_block<Block>(at, at - 1, base + static_cast<std::uint32_t>(i), words);
        }
    }
    return append_rest<Block>(line, line - 1, i, length, base, words);
}

template <typename Block>
inline constexpr Rule rule_of{compare<Block>, follow<Block>};

// Most words have a few bits: those are written without asking how many there are. Bits is a type
// of the calling file, so that each instruction set has a copy of its own.
template <typename Bits>
std::uint32_t* extract(const Word* words, const Word* end, std::uint32_t* out) noexcept {
    for (; words < end; ++words) {
        std::uint64_t bits = words->bits;
        const int count = Bits::count(bits);
        std::uint32_t* at = out;
        out += count;
        do {
            for (int i = 0; i < 4; ++i) {
                at[i] = words->base + Bits::lowest(bits);
                bits &= bits - 1;
            }
            at += 4;
        } while (at < out);
    }
    return out;
}

}  // namespace refpix::rle_changes
