// 64 characters to 48 bytes by the tables of the AVX2 path, for machines without VBMI.
#include <immintrin.h>

#include "kernels/base64_decode/alphabet.h"
#include "kernels/base64_decode/blocks.h"
#include "kernels/base64_decode/nibbles.h"

namespace refpix::base64::avx512 {
namespace {

__m512i table(const std::int8_t* entries) noexcept {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(entries)));
}

}  // namespace

std::int64_t blocks(const std::uint8_t* text, std::int64_t length, std::uint8_t* out,
                    std::int64_t capacity) noexcept {
    const __m512i nibble = _mm512_set1_epi8(0x0f);
    const __m512i bad_low = table(nibbles::bad_low);
    const __m512i bad_high = table(nibbles::bad_high);
    const __m512i shift = table(nibbles::shift);
    const __m512i delta = table(nibbles::delta);
    const __m512i pack = table(nibbles::pack);
    const __m512i join = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
    std::int64_t i = 0;
    for (; length - i >= 64 && capacity >= 64; i += 64, capacity -= 48, out += 48) {
        const __m512i c = _mm512_loadu_si512(text + i);
        const __m512i high = _mm512_and_si512(_mm512_srli_epi16(c, 4), nibble);
        const __m512i low = _mm512_and_si512(c, nibble);
        if (_mm512_test_epi8_mask(_mm512_shuffle_epi8(bad_low, low),
                                  _mm512_shuffle_epi8(bad_high, high)) != 0) {
            break;
        }
        const __m512i slot = _mm512_add_epi8(high, _mm512_shuffle_epi8(shift, low));
        const __m512i value = _mm512_add_epi8(c, _mm512_shuffle_epi8(delta, slot));
        const __m512i pairs = _mm512_maddubs_epi16(value, _mm512_set1_epi32(0x01400140));
        const __m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));
        const __m512i bytes = _mm512_shuffle_epi8(groups, pack);
        _mm512_storeu_si512(out, _mm512_permutexvar_epi32(join, bytes));
    }
    return i;
}

int alphabets(const std::uint8_t* text, std::int64_t length) noexcept {
    return seen_alphabets(text, length);
}

}  // namespace refpix::base64::avx512
