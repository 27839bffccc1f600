// 32 bytes are compared at a time, two such make a word.
#include <immintrin.h>

#include <cstring>

#include "kernels/rle_encode/changes.h"

namespace refpix::rle_changes::avx2 {
namespace {

__m256i load(const std::uint8_t* at) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

std::uint64_t mask_of(__m256i low, __m256i high) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

struct ByteRule {
    static __m256i value(__m256i pixels) noexcept { return pixels; }
    static __m256i same(__m256i a, __m256i b) noexcept { return _mm256_cmpeq_epi8(a, b); }
};
struct NonzeroRule {
    static __m256i value(__m256i pixels) noexcept {
        return _mm256_min_epu8(pixels, _mm256_set1_epi8(1));
    }
    static __m256i same(__m256i a, __m256i b) noexcept {
        const __m256i zero = _mm256_setzero_si256();
        return _mm256_cmpeq_epi8(_mm256_cmpeq_epi8(a, zero), _mm256_cmpeq_epi8(b, zero));
    }
};

template <typename By>
struct Block {
    static __m256i differing(const std::uint8_t* a, __m256i b) noexcept {
        return _mm256_xor_si256(By::value(load(a)), b);
    }
    static bool same(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        __m256i seen = differing(a, By::value(load(b)));
        for (int i = 32; i < block_pixels; i += 32) {
            seen = _mm256_or_si256(seen, differing(a + i, By::value(load(b + i))));
        }
        return _mm256_testz_si256(seen, seen) != 0;
    }
    static bool all(const std::uint8_t* a, std::uint8_t value) noexcept {
        const __m256i one = By::value(_mm256_set1_epi8(static_cast<char>(value)));
        __m256i seen = differing(a, one);
        for (int i = 32; i < block_pixels; i += 32) {
            seen = _mm256_or_si256(seen, differing(a + i, one));
        }
        return _mm256_testz_si256(seen, seen) != 0;
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        return ~mask_of(By::same(load(a), load(b)), By::same(load(a + 32), load(b + 32)));
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        alignas(32) std::uint8_t rest[2][64] = {};
        std::memcpy(rest[0], a, static_cast<std::size_t>(length));
        std::memcpy(rest[1], b, static_cast<std::size_t>(length));
        return bits(rest[0], rest[1]);
    }
    // The last of a line that has at least one word before them.
    static std::uint64_t last(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        return bits(a + length - 64, b + length - 64) >> (64 - length);
    }
};

struct Bits {
    static int count(std::uint64_t bits) noexcept { return static_cast<int>(_mm_popcnt_u64(bits)); }
    static std::uint32_t lowest(std::uint64_t bits) noexcept {
        return static_cast<std::uint32_t>(_tzcnt_u64(bits));
    }
};

}  // namespace

const Path path = {rule_of<Block<NonzeroRule>>, rule_of<Block<ByteRule>>, extract<Bits>};

}  // namespace refpix::rle_changes::avx2
