#include <immintrin.h>

#include "kernels/balanced_select/spread_code.h"

namespace refpix::balanced::avx2 {

std::int32_t advance(const Overlap& args) noexcept {
    const __m256i of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                               0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i halves = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    __m128i least = _mm_set1_epi32(nothing_left);
    std::int64_t v = args.first;
    for (; args.last - v >= 4; v += 4) {
        __m256i shared = _mm256_setzero_si256();
        for (std::int64_t w = 0; w < args.words; ++w) {
            const auto* at = reinterpret_cast<const __m256i*>(args.bits + w * args.vectors + v);
            const __m256i bits = _mm256_and_si256(
                _mm256_loadu_si256(at), _mm256_set1_epi64x(static_cast<long long>(args.picked[w])));
            const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low);
            const __m256i bytes =
                _mm256_add_epi8(_mm256_shuffle_epi8(of_nibble, _mm256_and_si256(bits, low)),
                                _mm256_shuffle_epi8(of_nibble, high));
            shared = _mm256_add_epi64(shared, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
        }
        auto* overlap = reinterpret_cast<__m128i*>(args.overlap + v);
        const __m128i sum =
            _mm_add_epi32(_mm_loadu_si128(overlap),
                          _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(shared, halves)));
        _mm_storeu_si128(overlap, sum);
        least = _mm_min_epi32(least, sum);
    }
    least = _mm_min_epi32(least, _mm_shuffle_epi32(least, 0x4e));
    least = _mm_min_epi32(least, _mm_shuffle_epi32(least, 0xb1));
    std::int32_t found = _mm_cvtsi128_si32(least);
    for (; v < args.last; ++v) {
        std::int32_t shared = 0;
        for (std::int64_t w = 0; w < args.words; ++w) {
            shared += __builtin_popcountll(args.bits[w * args.vectors + v] & args.picked[w]);
        }
        args.overlap[v] += shared;
        found = args.overlap[v] < found ? args.overlap[v] : found;
    }
    return found;
}

double spread(const Spread& args) noexcept {
    return spread_of(args);
}

}  // namespace refpix::balanced::avx2
