// Bits are counted by carry-save adders, eight vectors a turn: there is no vector popcount without
// VPOPCNTDQ, and looking up nibbles costs twice as much as adding the bits up three at a time.
#include <immintrin.h>

#include "kernels/rle_bits.h"

namespace refpix::rle::avx512 {
namespace {

// Counts of the bits of each 64-bit lane.
__m512i count(__m512i bits) noexcept {
    const __m512i of_nibble =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bits, 4), low);
    const __m512i bytes =
        _mm512_add_epi8(_mm512_shuffle_epi8(of_nibble, _mm512_and_si512(bits, low)),
                        _mm512_shuffle_epi8(of_nibble, high));
    return _mm512_sad_epu8(bytes, _mm512_setzero_si512());
}

__m512i sum(__m512i a, __m512i b, __m512i c) noexcept {
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);  // a ^ b ^ c
}
__m512i carry(__m512i a, __m512i b, __m512i c) noexcept {
    return _mm512_ternarylogic_epi64(a, b, c, 0xe8);  // two or three of them
}

__m512i shared(const std::uint64_t* a, const std::uint64_t* b) noexcept {
    return _mm512_and_si512(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
}

}  // namespace

std::int64_t count_shared(const std::uint64_t* a, const std::uint64_t* b,
                          std::int64_t words) noexcept {
    __m512i ones = _mm512_setzero_si512();
    __m512i twos = ones;
    __m512i fours = ones;
    __m512i eights = ones;  // counts
    std::int64_t i = 0;
    for (; words - i >= 64; i += 64) {
        __m512i pair[4];
        for (int k = 0; k < 4; ++k) {
            const __m512i first = shared(a + i + 16 * k, b + i + 16 * k);
            const __m512i second = shared(a + i + 16 * k + 8, b + i + 16 * k + 8);
            pair[k] = carry(ones, first, second);
            ones = sum(ones, first, second);
        }
        const __m512i left = carry(twos, pair[0], pair[1]);
        twos = sum(twos, pair[0], pair[1]);
        const __m512i right = carry(twos, pair[2], pair[3]);
        twos = sum(twos, pair[2], pair[3]);
        eights = _mm512_add_epi64(eights, count(carry(fours, left, right)));
        fours = sum(fours, left, right);
    }
    __m512i counts = _mm512_slli_epi64(eights, 3);
    if (i > 0) {
        counts = _mm512_add_epi64(counts, _mm512_slli_epi64(count(fours), 2));
        counts = _mm512_add_epi64(counts, _mm512_slli_epi64(count(twos), 1));
        counts = _mm512_add_epi64(counts, count(ones));
    }
    for (; words - i >= 8; i += 8) {
        counts = _mm512_add_epi64(counts, count(shared(a + i, b + i)));
    }
    const auto rest = static_cast<__mmask8>((1U << (words - i)) - 1);
    const __m512i last = _mm512_and_si512(_mm512_maskz_loadu_epi64(rest, a + i),
                                          _mm512_maskz_loadu_epi64(rest, b + i));
    counts = _mm512_add_epi64(counts, count(last));
    return _mm512_reduce_add_epi64(counts);
}

}  // namespace refpix::rle::avx512
