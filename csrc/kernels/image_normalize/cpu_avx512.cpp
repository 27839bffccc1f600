#include <immintrin.h>

#include "kernels/image_normalize/rows.h"

namespace refpix::normalize::avx512 {
namespace {

struct Constants {
    __m512 mean, std, reciprocal_std;
};

inline __m512 divide(__m512 a, __m512 b, __m512 reciprocal) {
    const __m512 q = _mm512_mul_ps(a, reciprocal);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(q, b, a), reciprocal, q);
}

// The arithmetic that make_table checked.
inline __m512 sixteen(const std::uint8_t* in, const Constants& k) {
    const __m128i bytes = _mm_loadu_si128((const __m128i*)in);
    const __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes));
    const __m512 scaled = divide(value, _mm512_set1_ps(255.0f), _mm512_set1_ps(1.0f / 255.0f));
    return divide(_mm512_sub_ps(scaled, k.mean), k.std, k.reciprocal_std);
}

inline __m256i bfloat16(__m512 v) {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(
        _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff))), 16));
}

}  // namespace

void normalize(const Table& table, int channel, const std::uint8_t* in, std::int64_t n,
               void* out) noexcept {
    const Constants k{_mm512_set1_ps(table.mean[channel]), _mm512_set1_ps(table.std[channel]),
                      _mm512_set1_ps(table.reciprocal_std[channel])};
    std::int64_t i = 0;
    if (!table.arithmetic) {
        // The scalar loop below does it all, from the table.
    } else if (table.type == NormalizeType::float32) {
        for (; i + 16 <= n; i += 16) {
            _mm512_storeu_ps(static_cast<float*>(out) + i, sixteen(in + i, k));
        }
    } else {
        auto* half = static_cast<std::uint16_t*>(out);
        for (; i + 16 <= n; i += 16) {
            const __m512 v = sixteen(in + i, k);
            _mm256_storeu_si256((__m256i*)(half + i),
                                table.type == NormalizeType::float16
                                    ? _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)
                                    : bfloat16(v));
        }
    }
    scalar::normalize(table, channel, in + i, n - i,
                      static_cast<char*>(out) + i * element_bytes(table.type));
}

}  // namespace refpix::normalize::avx512
