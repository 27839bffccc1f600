// Masks as bits: pixel p of the picture, down the columns, is bit p % 64 of word p / 64. All masks
// of one size lie on the same grid, so that what two share is found by AND, word by word.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/rle_extent.h"

namespace refpix::rle {

// Words [first, stop) of the grid, which hold all of a mask's foreground.
struct Bits {
    const std::uint64_t* words = nullptr;  // nullptr: not packed
    std::int64_t first = 0;
    std::int64_t stop = 0;
};

// Whether a mask should be packed. Merging two masks' runs costs some 4 ns a run, AND and count
// 0.1 ns a word: few runs over a wide stretch are better left alone. The second bound is memory, 32
// MiB a mask.
inline bool worth_packing(const Extent& extent, std::int64_t runs) noexcept {
    const std::int64_t words = (extent.stop + 63) / 64 - extent.first / 64;
    return words <= 32 * runs + 64 && words <= std::int64_t{1} << 22;
}

// Words behind the last of a mask that set_bits() may touch; it leaves them as they are.
inline constexpr std::int64_t spare_words = 2;

// Sets the bits [start, stop), which are at least one. Runs are mostly shorter than three words, of
// no predictable length: up to there nothing branches on it.
inline void set_bits(std::int64_t start, std::int64_t stop, std::uint64_t* words) noexcept {
    constexpr std::uint64_t ones = ~std::uint64_t{0};
    const std::int64_t from = start >> 6;
    const std::int64_t to = (stop - 1) >> 6;
    const std::uint64_t low = ones << (start & 63);
    const std::uint64_t high = ones >> (63 - ((stop - 1) & 63));
    words[from] |= from == to ? low & high : low;
    words[from + 1] |= to > from + 1 ? ones : 0;
    words[from + 2] |= to > from + 2 ? ones : 0;
    if (to > from + 3) {
        std::memset(words + from + 3, 0xff, static_cast<std::size_t>(to - from - 3) * 8);
    }
    words[to] |= from == to ? low & high : high;
}

// Sets the bits of every second run, those with odd numbers; the first begins at bit `at`.
inline void set_runs(const std::uint32_t* counts, std::int64_t runs, std::int64_t at,
                     std::uint64_t* words) noexcept {
    for (std::int64_t run = 0; run + 1 < runs; run += 2) {
        const std::int64_t start = at + counts[run];
        at = start + counts[run + 1];
        if (start < at) {
            set_bits(start, at, words);
        }
    }
}

// Fills words[0..stop - first + spare_words) and returns the view.
inline Bits pack(const Rle& mask, const Extent& extent, std::uint64_t* words) noexcept {
    const Bits bits{words, extent.first / 64, (extent.stop + 63) / 64};
    const auto size = static_cast<std::size_t>(bits.stop - bits.first + spare_words);
    std::memset(words, 0, size * sizeof *words);
    set_runs(mask.counts, mask.runs, -64 * bits.first, words);
    return bits;
}

// Bits set in both of two arrays, per instruction set.
using CountShared = std::int64_t(const std::uint64_t* a, const std::uint64_t* b,
                                 std::int64_t words) noexcept;

namespace scalar {
CountShared count_shared;
}
namespace avx2 {
CountShared count_shared;
}
namespace avx512 {
CountShared count_shared;
}

// The one of the active instruction set.
CountShared* count_shared_path() noexcept;

inline std::int64_t intersection(const Bits& a, const Bits& b, CountShared* count) noexcept {
    const std::int64_t first = a.first > b.first ? a.first : b.first;
    const std::int64_t stop = a.stop < b.stop ? a.stop : b.stop;
    return stop > first
               ? count(a.words + (first - a.first), b.words + (first - b.first), stop - first)
               : 0;
}

}  // namespace refpix::rle
