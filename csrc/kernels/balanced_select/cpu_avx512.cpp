#include <immintrin.h>

#include "kernels/balanced_select/steps.h"

namespace refpix::balanced::avx512 {

std::int32_t advance(const Overlap& args) noexcept {
    const __m512i of_nibble =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const __m512i low = _mm512_set1_epi8(15);
    __m256i least = _mm256_set1_epi32(nothing_left);
    for (std::int64_t v = args.first; v < args.last; v += 8) {
        const std::int64_t left = args.last - v;
        const auto lanes = static_cast<__mmask8>(left >= 8 ? 0xff : (1 << left) - 1);
        __m512i shared = _mm512_setzero_si512();
        for (std::int64_t w = 0; w < args.words; ++w) {
            const __m512i bits =
                _mm512_and_si512(_mm512_maskz_loadu_epi64(lanes, args.bits + w * args.vectors + v),
                                 _mm512_set1_epi64(static_cast<long long>(args.picked[w])));
            const __m512i high = _mm512_and_si512(_mm512_srli_epi16(bits, 4), low);
            const __m512i bytes =
                _mm512_add_epi8(_mm512_shuffle_epi8(of_nibble, _mm512_and_si512(bits, low)),
                                _mm512_shuffle_epi8(of_nibble, high));
            shared = _mm512_add_epi64(shared, _mm512_sad_epu8(bytes, _mm512_setzero_si512()));
        }
        std::int32_t* overlap = args.overlap + v;
        const __m256i sum = _mm256_add_epi32(_mm256_maskz_loadu_epi32(lanes, overlap),
                                             _mm512_cvtepi64_epi32(shared));
        _mm256_mask_storeu_epi32(overlap, lanes, sum);
        least = _mm256_mask_min_epi32(least, lanes, least, sum);
    }
    const __m128i half =
        _mm_min_epi32(_mm256_castsi256_si128(least), _mm256_extracti128_si256(least, 1));
    const __m128i quarter = _mm_min_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    return _mm_cvtsi128_si32(_mm_min_epi32(quarter, _mm_shuffle_epi32(quarter, 0xb1)));
}

}  // namespace refpix::balanced::avx512
