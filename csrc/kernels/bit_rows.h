// Rows of pixels as bits, column x in bit x % 64 of word x / 64; bits past the end are 0. Compiled
// once per instruction set: include it from cpu_<isa>.cpp only.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace refpix {
namespace {

// Test(i) for i < count, count at most 64, as bits.
template <typename Test>
inline std::uint64_t bits_of(std::int64_t count, const Test& test) noexcept {
    std::uint64_t bits = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        bits |= static_cast<std::uint64_t>(test(i)) << i;
    }
    return bits;
}

// Whole words by `block`, which tests 64 pixels at once, the rest one by one.
template <typename Block, typename Test>
inline void fill_words(std::int64_t count, std::uint64_t* words, const Block& block,
                       const Test& test) noexcept {
    std::int64_t x = 0;
    for (; x + 64 <= count; x += 64) {
        *words++ = block(x);
    }
    if (x < count) {
        *words = bits_of(count - x, [&](std::int64_t i) { return test(x + i); });
    }
}

#if defined(__AVX2__)
// Bytes of all ones or zeros as 32 bits.
inline std::uint64_t byte_bits(__m256i bytes) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(bytes));
}
inline __m256i load_bytes(const std::uint8_t* from) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
#endif

// Pixels where `a` and `b` differ.
inline void differing(const std::uint8_t* a, const std::uint8_t* b, std::int64_t count,
                      std::uint64_t* words) noexcept {
    const auto test = [&](std::int64_t x) { return a[x] != b[x]; };
    fill_words(
        count, words,
        [&](std::int64_t x) {
#if defined(__AVX2__)
            const __m256i low = _mm256_cmpeq_epi8(load_bytes(a + x), load_bytes(b + x));
            const __m256i high = _mm256_cmpeq_epi8(load_bytes(a + x + 32), load_bytes(b + x + 32));
            return ~(byte_bits(low) | byte_bits(high) << 32);
#else
            if (std::memcmp(a + x, b + x, 64) == 0) {
                return std::uint64_t{0};
            }
            return bits_of(64, [&](std::int64_t i) { return test(x + i); });
#endif
        },
        test);
}

inline void differing(const float* a, const float* b, std::int64_t count,
                      std::uint64_t* words) noexcept {
    const auto test = [&](std::int64_t x) { return a[x] != b[x]; };
    fill_words(
        count, words,
        [&](std::int64_t x) {
#if defined(__AVX2__)
            std::uint64_t bits = 0;
            for (int i = 0; i < 64; i += 8) {
                const __m256 differ = _mm256_cmp_ps(_mm256_loadu_ps(a + x + i),
                                                    _mm256_loadu_ps(b + x + i), _CMP_NEQ_UQ);
                bits |= static_cast<std::uint64_t>(_mm256_movemask_ps(differ)) << i;
            }
            return bits;
#else
            return bits_of(64, [&](std::int64_t i) { return test(x + i); });
#endif
        },
        test);
}

// Pixels that are `least` at least.
inline void reaching(const std::uint8_t* row, std::int64_t count, std::uint8_t least,
                     std::uint64_t* words) noexcept {
    const auto test = [&](std::int64_t x) { return row[x] >= least; };
    fill_words(
        count, words,
        [&](std::int64_t x) {
#if defined(__AVX2__)
            const __m256i limit = _mm256_set1_epi8(static_cast<char>(least));
            const __m256i a = load_bytes(row + x);
            const __m256i b = load_bytes(row + x + 32);
            return byte_bits(_mm256_cmpeq_epi8(_mm256_max_epu8(a, limit), a)) |
                   byte_bits(_mm256_cmpeq_epi8(_mm256_max_epu8(b, limit), b)) << 32;
#else
            return bits_of(64, [&](std::int64_t i) { return test(x + i); });
#endif
        },
        test);
}

// Pixels above `limit`.
inline void above(const float* row, std::int64_t count, float limit,
                  std::uint64_t* words) noexcept {
    const auto test = [&](std::int64_t x) { return row[x] > limit; };
    fill_words(
        count, words,
        [&](std::int64_t x) {
#if defined(__AVX2__)
            std::uint64_t bits = 0;
            for (int i = 0; i < 64; i += 8) {
                const __m256 more =
                    _mm256_cmp_ps(_mm256_loadu_ps(row + x + i), _mm256_set1_ps(limit), _CMP_GT_OQ);
                bits |= static_cast<std::uint64_t>(_mm256_movemask_ps(more)) << i;
            }
            return bits;
#else
            return bits_of(64, [&](std::int64_t i) { return test(x + i); });
#endif
        },
        test);
}

// Whether any value is infinite or not a number.
inline bool any_not_finite(const float* values, std::int64_t count) noexcept {
    int bad = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        bad |= !(values[i] - values[i] == 0);
    }
    return bad != 0;
}
inline bool any_not_finite(const std::uint8_t*, std::int64_t) noexcept {
    return false;
}

}  // namespace
}  // namespace refpix
