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
// Appends base + i for every bit set, ascending. Returns the new end; writes up to extract_slack
// numbers past it.
using Extract = std::uint32_t*(const Word* words, const Word* end, std::uint32_t* out) noexcept;

inline constexpr std::int64_t extract_slack = 8;

struct Path {
    Compare* nonzero;  // pixels differ when one of them is 0 and the other is not
    Compare* byte;     // ... when their bytes do
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

// Block gives the bits of 64 pixels, of fewer, and of the last few of a line of more than 64.
template <typename Block>
Word* compare(const std::uint8_t* a, const std::uint8_t* b, std::int64_t length, std::uint32_t base,
              Word* words) noexcept {
    std::int64_t i = 0;
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
