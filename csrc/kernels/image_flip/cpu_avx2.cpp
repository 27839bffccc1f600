#include <immintrin.h>

#include "kernels/image_flip/mirror.h"

namespace refpix::flip::avx2 {

std::int64_t mirror_bytes(const std::uint8_t* row, std::int64_t width, std::uint8_t* out) noexcept {
    const __m256i reverse = _mm256_setr_epi8(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
                                             15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    std::int64_t done = 0;
    for (; done + 32 <= width; done += 32) {
        const auto* at = reinterpret_cast<const __m256i*>(row + width - done - 32);
        const __m256i halves = _mm256_shuffle_epi8(_mm256_loadu_si256(at), reverse);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + done),
                            _mm256_permute2x128_si256(halves, halves, 1));
    }
    return done;
}

// Five pixels at a time. The sixteenth byte that is read lies before them, and the one that is
// written is written again with the next.
std::int64_t mirror_rgb(const std::uint8_t* row, std::int64_t width, std::uint8_t* out) noexcept {
    const __m128i reverse = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
    std::int64_t done = 0;
    for (; done + 6 <= width; done += 5) {
        const auto* at = reinterpret_cast<const __m128i*>(row + 3 * (width - done) - 16);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * done),
                         _mm_shuffle_epi8(_mm_loadu_si128(at), reverse));
    }
    return done;
}

}  // namespace refpix::flip::avx2
