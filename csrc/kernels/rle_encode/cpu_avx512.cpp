// Comparisons of 64 bytes give a word as it is wanted.
#include <immintrin.h>

#include "kernels/rle_encode/changes.h"

namespace refpix::rle_changes::avx512 {
namespace {

struct ByteRule {
    static __m512i value(__m512i pixels) noexcept { return pixels; }
    static std::uint64_t differ(__m512i a, __m512i b) noexcept {
        return _mm512_cmpneq_epi8_mask(a, b);
    }
};
struct NonzeroRule {
    static __m512i value(__m512i pixels) noexcept {
        return _mm512_min_epu8(pixels, _mm512_set1_epi8(1));
    }
    static std::uint64_t differ(__m512i a, __m512i b) noexcept {
        return _mm512_test_epi8_mask(a, a) ^ _mm512_test_epi8_mask(b, b);
    }
};

template <typename By>
struct Block {
    static __m512i load(const std::uint8_t* at) noexcept {
        return By::value(_mm512_loadu_si512(at));
    }
    // seen | (a ^ b)
    static __m512i gather(__m512i seen, __m512i a, __m512i b) noexcept {
        return _mm512_ternarylogic_epi64(seen, a, b, 0xf6);
    }
    static bool same(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        __m512i seen = _mm512_xor_si512(load(a), load(b));
        for (int i = 64; i < block_pixels; i += 64) {
            seen = gather(seen, load(a + i), load(b + i));
        }
        return _mm512_test_epi64_mask(seen, seen) == 0;
    }
    static bool all(const std::uint8_t* a, std::uint8_t value) noexcept {
        const __m512i one = By::value(_mm512_set1_epi8(static_cast<char>(value)));
        __m512i seen = _mm512_xor_si512(load(a), one);
        for (int i = 64; i < block_pixels; i += 64) {
            seen = gather(seen, load(a + i), one);
        }
        return _mm512_test_epi64_mask(seen, seen) == 0;
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        return By::differ(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        const __mmask64 there = _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(length));
        return By::differ(_mm512_maskz_loadu_epi8(there, a), _mm512_maskz_loadu_epi8(there, b));
    }
    static std::uint64_t last(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        return bits(a, b, length);
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

}  // namespace refpix::rle_changes::avx512
