// Comparisons of 64 bytes give a word as it is wanted.
#include <immintrin.h>

#include "kernels/rle_encode/changes.h"

namespace refpix::rle_changes::avx512 {
namespace {

struct ByteRule {
    static std::uint64_t differ(__m512i a, __m512i b) noexcept {
        return _mm512_cmpneq_epi8_mask(a, b);
    }
};
struct NonzeroRule {
    static std::uint64_t differ(__m512i a, __m512i b) noexcept {
        return _mm512_test_epi8_mask(a, a) ^ _mm512_test_epi8_mask(b, b);
    }
};

template <typename Rule>
struct Block {
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        return Rule::differ(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        const __mmask64 there = _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(length));
        return Rule::differ(_mm512_maskz_loadu_epi8(there, a), _mm512_maskz_loadu_epi8(there, b));
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

const Path path = {compare<Block<NonzeroRule>>, compare<Block<ByteRule>>, extract<Bits>};

}  // namespace refpix::rle_changes::avx512
