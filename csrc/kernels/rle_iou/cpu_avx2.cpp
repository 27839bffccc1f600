// Bits are counted by looking nibbles up, 32 bytes a turn.
#include <immintrin.h>

#include "kernels/rle_bits.h"

namespace refpix::rle::avx2 {

std::int64_t count_shared(const std::uint64_t* a, const std::uint64_t* b,
                          std::int64_t words) noexcept {
    const __m256i of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1,
                                               1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i sums = _mm256_setzero_si256();
    std::int64_t i = 0;
    while (words - i >= 4) {
        // A byte holds the counts of 31 turns.
        const std::int64_t stop = words - i < 124 ? words - 3 : i + 124;
        __m256i bytes = _mm256_setzero_si256();
        for (; i < stop; i += 4) {
            const __m256i both =
                _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)),
                                 _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
            const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
            bytes =
                _mm256_add_epi8(bytes, _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(both, low)));
            bytes = _mm256_add_epi8(bytes, _mm256_shuffle_epi8(of_nibble, high));
        }
        sums = _mm256_add_epi64(sums, _mm256_sad_epu8(bytes, _mm256_setzero_si256()));
    }
    std::int64_t count = _mm256_extract_epi64(sums, 0) + _mm256_extract_epi64(sums, 1) +
                         _mm256_extract_epi64(sums, 2) + _mm256_extract_epi64(sums, 3);
    for (; i < words; ++i) {
        count += _mm_popcnt_u64(a[i] & b[i]);
    }
    return count;
}

}  // namespace refpix::rle::avx2
