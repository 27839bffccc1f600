#include <immintrin.h>

#include "kernels/image_normalize/rows.h"

namespace refpix::normalize::avx2 {
namespace {

struct Constants {
    __m256 mean, std, reciprocal_std, offset;
};

inline __m256 divide(__m256 a, __m256 b, __m256 reciprocal) {
    const __m256 q = _mm256_mul_ps(a, reciprocal);
    return _mm256_fmadd_ps(_mm256_fnmadd_ps(q, b, a), reciprocal, q);
}

// The arithmetic that make_table checked.
template <Formula formula>
inline __m256 eight(const std::uint8_t* in, const Constants& k) {
    const __m128i bytes = _mm_loadl_epi64((const __m128i*)in);
    const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
    const __m256 scaled = divide(value, _mm256_set1_ps(255.0f), _mm256_set1_ps(1.0f / 255.0f));
    if constexpr (formula == Formula::scaled) {
        return _mm256_fmadd_ps(scaled, k.reciprocal_std, k.offset);
    } else {
        return divide(_mm256_sub_ps(scaled, k.mean), k.std, k.reciprocal_std);
    }
}

inline __m128i bfloat16(__m256 v) {
    const __m256i bits = _mm256_castps_si256(v);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_srli_epi32(
        _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff))), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}

// Eight numbers of any type.
template <Formula formula>
inline void store_eight(NormalizeType type, const std::uint8_t* in, const Constants& k, void* out,
                        std::int64_t at) {
    const __m256 values = eight<formula>(in, k);
    if (type == NormalizeType::float32) {
        _mm256_storeu_ps(static_cast<float*>(out) + at, values);
        return;
    }
    _mm_storeu_si128((__m128i*)(static_cast<std::uint16_t*>(out) + at),
                     type == NormalizeType::float16
                         ? _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT)
                         : bfloat16(values));
}

// Of the channels that the lanes of a vector hold when the first lane holds `first`.
inline Constants turned(const Table& table, int first) {
    float rows[4][8];
    for (int lane = 0; lane < 8; ++lane) {
        const int channel = (first + lane) % 3;
        rows[0][lane] = table.mean[channel];
        rows[1][lane] = table.std[channel];
        rows[2][lane] = table.reciprocal_std[channel];
        rows[3][lane] = table.offset[channel];
    }
    return {_mm256_loadu_ps(rows[0]), _mm256_loadu_ps(rows[1]), _mm256_loadu_ps(rows[2]),
            _mm256_loadu_ps(rows[3])};
}

// Eight pixels are three vectors, after which the channels stand as before. Returns how many
// pixels that took.
template <Formula formula, NormalizeType type>
std::int64_t whole_triples(const Table& table, const std::uint8_t* rgb, std::int64_t n, void* out) {
    const Constants k[3] = {turned(table, 0), turned(table, 8), turned(table, 16)};
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (int part = 0; part < 3; ++part) {
            const std::int64_t at = 3 * i + 8 * part;
            store_eight<formula>(type, rgb + at, k[part], out, at);
        }
    }
    return i;
}

template <Formula formula>
std::int64_t whole_triples(const Table& table, const std::uint8_t* rgb, std::int64_t n, void* out) {
    switch (table.type) {
        case NormalizeType::float32:
            return whole_triples<formula, NormalizeType::float32>(table, rgb, n, out);
        case NormalizeType::float16:
            return whole_triples<formula, NormalizeType::float16>(table, rgb, n, out);
        case NormalizeType::bfloat16:
            break;
    }
    return whole_triples<formula, NormalizeType::bfloat16>(table, rgb, n, out);
}

// As many as fit whole vectors; returns how many.
template <Formula formula, NormalizeType type>
std::int64_t whole_vectors(const Constants& k, const std::uint8_t* in, std::int64_t n, void* out) {
    std::int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        store_eight<formula>(type, in + i, k, out, i);
    }
    return i;
}

template <Formula formula>
std::int64_t whole_vectors(const Table& table, int channel, const std::uint8_t* in, std::int64_t n,
                           void* out) {
    const Constants k{_mm256_set1_ps(table.mean[channel]), _mm256_set1_ps(table.std[channel]),
                      _mm256_set1_ps(table.reciprocal_std[channel]),
                      _mm256_set1_ps(table.offset[channel])};
    switch (table.type) {
        case NormalizeType::float32:
            return whole_vectors<formula, NormalizeType::float32>(k, in, n, out);
        case NormalizeType::float16:
            return whole_vectors<formula, NormalizeType::float16>(k, in, n, out);
        case NormalizeType::bfloat16:
            break;
    }
    return whole_vectors<formula, NormalizeType::bfloat16>(k, in, n, out);
}

}  // namespace

void normalize(const Table& table, int channel, const std::uint8_t* in, std::int64_t n,
               void* out) noexcept {
    std::int64_t done = 0;
    if (table.formula == Formula::scaled) {
        done = whole_vectors<Formula::scaled>(table, channel, in, n, out);
    } else if (table.formula == Formula::divided) {
        done = whole_vectors<Formula::divided>(table, channel, in, n, out);
    }
    scalar::normalize(table, channel, in + done, n - done,
                      static_cast<char*>(out) + done * element_bytes(table.type));
}

void normalize_pixels(const Table& table, const std::uint8_t* rgb, std::int64_t n,
                      void* out) noexcept {
    std::int64_t done = 0;
    if (table.formula == Formula::scaled) {
        done = whole_triples<Formula::scaled>(table, rgb, n, out);
    } else if (table.formula == Formula::divided) {
        done = whole_triples<Formula::divided>(table, rgb, n, out);
    }
    scalar::normalize_pixels(table, rgb + 3 * done, n - done,
                             static_cast<char*>(out) + 3 * done * element_bytes(table.type));
}

void deinterleave(const std::uint8_t* rgb, std::int64_t n, std::uint8_t* planes,
                  std::ptrdiff_t plane_stride) noexcept {
    constexpr char x = -1;
    // For channel c: where its bytes lie in each of three 16-byte pieces.
    const __m128i control[3][3] = {
        {_mm_setr_epi8(0, 3, 6, 9, 12, 15, x, x, x, x, x, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, x, 2, 5, 8, 11, 14, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, x, x, x, x, x, x, 1, 4, 7, 10, 13)},
        {_mm_setr_epi8(1, 4, 7, 10, 13, x, x, x, x, x, x, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, 0, 3, 6, 9, 12, 15, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, x, x, x, x, x, x, 2, 5, 8, 11, 14)},
        {_mm_setr_epi8(2, 5, 8, 11, 14, x, x, x, x, x, x, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, 1, 4, 7, 10, 13, x, x, x, x, x, x),
         _mm_setr_epi8(x, x, x, x, x, x, x, x, x, x, 0, 3, 6, 9, 12, 15)}};
    std::int64_t i = 0;
    for (; i + 16 <= n; i += 16) {
        const __m128i a = _mm_loadu_si128((const __m128i*)(rgb + 3 * i));
        const __m128i b = _mm_loadu_si128((const __m128i*)(rgb + 3 * i + 16));
        const __m128i c = _mm_loadu_si128((const __m128i*)(rgb + 3 * i + 32));
        for (int k = 0; k < 3; ++k) {
            const __m128i ab = _mm_or_si128(_mm_shuffle_epi8(a, control[k][0]),
                                            _mm_shuffle_epi8(b, control[k][1]));
            _mm_storeu_si128((__m128i*)(planes + k * plane_stride + i),
                             _mm_or_si128(ab, _mm_shuffle_epi8(c, control[k][2])));
        }
    }
    scalar::deinterleave(rgb + 3 * i, n - i, planes + i, plane_stride);
}

}  // namespace refpix::normalize::avx2
