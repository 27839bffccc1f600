#include <immintrin.h>

#include "kernels/alpha_composite/blend.h"
#include "kernels/alpha_composite/rows.h"

namespace refpix::composite::avx2 {
namespace {

constexpr std::int64_t block = 32;  // pixels

__m256i load(const std::uint8_t* at) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

void store(std::uint8_t* at, __m256i value) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), value);
}

// under * (255 - matte) + over * matte + 128 = under * 255 + (over - under) * matte + 128 fits 16
// bits, so that the product may wrap.
__m256i blend_16(__m256i under, __m256i over, __m256i matte) {
    const __m256i rest = _mm256_sub_epi16(_mm256_slli_epi16(under, 8), under);
    const __m256i part = _mm256_mullo_epi16(_mm256_sub_epi16(over, under), matte);
    const __m256i sum = _mm256_add_epi16(_mm256_add_epi16(rest, part), _mm256_set1_epi16(128));
    return _mm256_srli_epi16(_mm256_add_epi16(sum, _mm256_srli_epi16(sum, 8)), 8);
}

void blend(std::uint8_t* under, const std::uint8_t* over, __m256i matte) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i below = load(under);
    const __m256i above = load(over);
    const __m256i low =
        blend_16(_mm256_unpacklo_epi8(below, zero), _mm256_unpacklo_epi8(above, zero),
                 _mm256_unpacklo_epi8(matte, zero));
    const __m256i high =
        blend_16(_mm256_unpackhi_epi8(below, zero), _mm256_unpackhi_epi8(above, zero),
                 _mm256_unpackhi_epi8(matte, zero));
    store(under, _mm256_packus_epi16(low, high));
}

// Each value of a matte three times: 32 values make three vectors.
void blend_rgb(std::uint8_t* under, const std::uint8_t* over, __m256i matte) {
    const __m256i first = _mm256_setr_epi8(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5,  //
                                           5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10);
    const __m256i second =
        _mm256_setr_epi8(10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15,  //
                         0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5);
    const __m256i third =
        _mm256_setr_epi8(5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10,  //
                         10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15);
    const __m256i low = _mm256_permute2x128_si256(matte, matte, 0x00);
    const __m256i high = _mm256_permute2x128_si256(matte, matte, 0x11);
    blend(under, over, _mm256_shuffle_epi8(low, first));
    blend(under + 32, over + 32, _mm256_shuffle_epi8(matte, second));
    blend(under + 64, over + 64, _mm256_shuffle_epi8(high, third));
}

void copy_block(std::uint8_t* under, const std::uint8_t* over, std::int64_t bytes) {
    for (std::int64_t i = 0; i < bytes; i += block) {
        store(under + i, load(over + i));
    }
}

}  // namespace

void paste_row(const Row& row) noexcept {
    const std::int64_t full = row.channels == 1 || row.channels == 3 ? row.pixels / block : 0;
    const __m256i ones = _mm256_set1_epi8(-1);
    for (std::int64_t b = 0; b < full; ++b) {
        const __m256i matte = load(row.matte + b * block);
        if (_mm256_testz_si256(matte, matte) != 0) {
            continue;
        }
        std::uint8_t* under = row.under + b * block * row.channels;
        const std::uint8_t* over = row.over + b * block * row.channels;
        if (_mm256_testc_si256(matte, ones) != 0) {
            copy_block(under, over, block * row.channels);
        } else if (row.channels == 3) {
            blend_rgb(under, over, matte);
        } else {
            blend(under, over, matte);
        }
    }
    const std::int64_t done = full * block;
    scalar::paste_row({row.under + done * row.channels, row.over + done * row.channels,
                       row.matte + done, row.pixels - done, row.channels});
}

}  // namespace refpix::composite::avx2
