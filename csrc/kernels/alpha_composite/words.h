// Sixteen values at a time, as four words, for the device: read from anywhere, kept within a
// foreground, blended.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/alpha_composite/blend.h"

namespace refpix::composite {

inline constexpr int chunk_bytes = 16;

struct alignas(16) Chunk {
    std::uint32_t words[4];
};

// Bytes of an array that is only read.
struct Bytes {
    const std::uint8_t* data;
    std::int64_t size;
};

// The words that begin at any byte. What lies outside the array, offsets below 0 included, is not
// read and comes as 0.
template <int count>
__device__ void read_words(const Bytes& bytes, std::int64_t offset, std::uint32_t* words) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes.data) + offset;
    const auto shift = static_cast<unsigned>(address & 3U);
    const std::int64_t first = offset - shift;  // there a word is aligned
    if (count == 4 && address % 16 == 0 && offset >= 0 && offset + 16 <= bytes.size) {
        const Chunk chunk = *reinterpret_cast<const Chunk*>(bytes.data + offset);
        for (int i = 0; i < count; ++i) {
            words[i] = chunk.words[i % 4];
        }
    } else if (first >= 0 && first + 4 * (count + 1) <= bytes.size) {
        const auto* at = reinterpret_cast<const std::uint32_t*>(bytes.data + first);
        std::uint32_t low = at[0];
        for (int i = 0; i < count; ++i) {
            const std::uint32_t high = at[i + 1];
            words[i] = __funnelshift_r(low, high, 8 * shift);
            low = high;
        }
    } else {
        for (int i = 0; i < count; ++i) {
            words[i] = 0;
            for (int byte = 0; byte < 4; ++byte) {
                const std::int64_t at = offset + 4 * i + byte;
                if (at >= 0 && at < bytes.size) {
                    words[i] |= std::uint32_t{bytes.data[at]} << (8 * byte);
                }
            }
        }
    }
}

// Ones in the bytes of a word below `count`, which may be anything.
REFPIX_HD inline std::uint32_t bytes_below(int count) {
    return count <= 0 ? 0U : count >= 4 ? ~0U : (1U << (8 * count)) - 1U;
}

// Makes bytes outside start..stop-1 of a chunk 0.
REFPIX_HD inline void keep_bytes(Chunk& chunk, int start, int stop) {
    if (start > 0 || stop < chunk_bytes) {
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] &= bytes_below(stop - 4 * i) & ~bytes_below(start - 4 * i);
        }
    }
}

// The mattes of a chunk's values, which begins `column` values into a row (down to -15), where
// pixel 0 of the row has its matte at `offset`. Pixels have 1, 3 or 4 values; with 4 a chunk begins
// with a pixel.
template <int channels>
__device__ Chunk mattes_of(const Bytes& mattes, std::int64_t offset, int column) {
    Chunk chunk;
    if constexpr (channels == 1) {
        read_words<4>(mattes, offset + column, chunk.words);
    } else if constexpr (channels == 3) {
        const int pixel = (column + 15) / 3 - 5;  // rounded down
        std::uint32_t pair[2];                    // 16 values touch up to six pixels
        read_words<2>(mattes, offset + pixel, pair);
        const std::uint32_t thrice[5] = {
            __byte_perm(pair[0], 0, 0x1000), __byte_perm(pair[0], 0, 0x2211),
            __byte_perm(pair[0], 0, 0x3332), __byte_perm(pair[1], 0, 0x1000),
            __byte_perm(pair[1], 0, 0x1111),
        };
        const auto phase = static_cast<unsigned>(column - 3 * pixel);
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] = __funnelshift_r(thrice[i], thrice[i + 1], 8 * phase);
        }
    } else {
        std::uint32_t four;
        read_words<1>(mattes, offset + column / 4, &four);
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] = (four >> (8 * i) & 255U) * 0x01010101U;
        }
    }
    return chunk;
}

REFPIX_HD inline std::uint8_t byte_of(std::uint32_t word, int byte) {
    return static_cast<std::uint8_t>(word >> (8 * byte));
}

// paste() of bytes 0 and 2 of words of which the others are 0, two sums in one word: a sum fits 16
// bits. over - under is made positive by 256, for which 256 times the matte is taken off again.
REFPIX_HD inline std::uint32_t paste_pair(std::uint32_t under, std::uint32_t over,
                                          std::uint32_t matte) {
    const std::uint32_t apart = over - under + 0x01000100U;
    std::uint32_t sums = under * 255U + 0x00800080U - (matte << 8);
    sums += (apart & 0xffffU) * (matte & 0xffffU);
    sums += (apart & 0xffff0000U) * (matte >> 16);
    return sums + (sums >> 8 & 0x00ff00ffU);  // the quotients are bytes 1 and 3
}

// paste() of the four bytes of each word.
REFPIX_HD inline std::uint32_t paste_word(std::uint32_t under, std::uint32_t over,
                                          std::uint32_t matte) {
    constexpr std::uint32_t even = 0x00ff00ffU;
    const std::uint32_t low = paste_pair(under & even, over & even, matte & even);
    const std::uint32_t high = paste_pair(under >> 8 & even, over >> 8 & even, matte >> 8 & even);
    return (low >> 8 & even) | (high & ~even);
}

REFPIX_HD inline bool all_are(const Chunk& chunk, std::uint32_t word) {
    return ((chunk.words[0] ^ word) | (chunk.words[1] ^ word) | (chunk.words[2] ^ word) |
            (chunk.words[3] ^ word)) == 0;
}

}  // namespace refpix::composite
