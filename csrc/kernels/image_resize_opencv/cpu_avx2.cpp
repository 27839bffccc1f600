#include <immintrin.h>

#include <cstring>

#include "kernels/image_resize_opencv/rows_code.h"

namespace refpix::resize_opencv::avx2 {
namespace {

int pair_at(const std::uint8_t* samples) noexcept {
    std::uint16_t pair = 0;
    std::memcpy(&pair, samples, sizeof pair);
    return pair;
}

// Pairs are put together one by one: gathering them takes twice as long where microcode guards
// that instruction against leaks.
std::int64_t across_gray(const Across& args) noexcept {
    const std::int32_t* const first = args.first;
    std::int64_t x = 0;
    for (; x + 8 <= args.count; x += 8) {
        __m128i pairs = _mm_cvtsi32_si128(pair_at(args.row + first[x]));
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 1]), 1);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 2]), 2);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 3]), 3);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 4]), 4);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 5]), 5);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 6]), 6);
        pairs = _mm_insert_epi16(pairs, pair_at(args.row + first[x + 7]), 7);
        const __m256i weights =
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(args.weights + x));
        const __m256i sums =
            _mm256_srai_epi32(_mm256_madd_epi16(_mm256_cvtepu8_epi16(pairs), weights), 4);
        const __m256i halves =
            _mm256_permute4x64_epi64(_mm256_packs_epi32(sums, sums), 0b11'01'10'00);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(args.line + x), _mm256_castsi256_si128(halves));
    }
    return x;
}

// Eight bytes hold both samples of three channels.
std::int64_t across_colour(const Across& args) noexcept {
    std::int64_t safe = args.count;
    while (safe > 0 && args.first[safe - 1] + 8 > args.readable) {
        --safe;
    }
    const __m128i spread = _mm_set_epi8(-1, -1, -1, -1, -1, 5, -1, 2, -1, 4, -1, 1, -1, 3, -1, 0);
    for (std::int64_t x = 0; x < safe; ++x) {
        const __m128i samples =
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(args.row + args.first[x]));
        const __m128i pairs = _mm_shuffle_epi8(samples, spread);
        const __m128i sums =
            _mm_srai_epi32(_mm_madd_epi16(pairs, _mm_set1_epi32(args.weights[x])), 4);
        // The fourth value is overwritten by the next pixel, or lies in the padding.
        _mm_storel_epi64(reinterpret_cast<__m128i*>(args.line + 3 * x),
                         _mm_packs_epi32(sums, sums));
    }
    return safe;
}

}  // namespace

void across(const Across& args) noexcept {
    if (args.channels == 1 && args.next == 1) {
        across_from<1>(args, across_gray(args));
    } else if (args.channels == 3 && args.next == 3) {
        across_from<3>(args, across_colour(args));
    } else {
        across_from<0>(args, 0);
    }
}

void down(const Down& args) noexcept {
    down_row(args);
}

}  // namespace refpix::resize_opencv::avx2
