// 32 characters to 24 bytes.
//
// Validity after Mula and Lemire ("Base64 encoding and decoding at almost the speed of a memory
// copy", 2019): a table by low nibble and one by high nibble share a bit exactly when the
// character is no data. What is added to a character to get its value depends on the high nibble
// alone, except for '+', '-', '/' and '_'; `shift` moves the columns of '-' and of '/' and '_'
// (low nibbles D and F) to slots of `delta` that no other column uses, so that both alphabets
// cost one lookup more than one.
#include <immintrin.h>

#include "kernels/base64_decode/alphabet.h"
#include "kernels/base64_decode/blocks.h"
#include "kernels/base64_decode/nibbles.h"

namespace refpix::base64::avx2 {
namespace {

__m256i table(const std::int8_t* entries) noexcept {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(entries)));
}

}  // namespace

std::int64_t blocks(const std::uint8_t* text, std::int64_t length, std::uint8_t* out,
                    std::int64_t capacity) noexcept {
    const __m256i nibble = _mm256_set1_epi8(0x0f);
    const __m256i bad_low = table(nibbles::bad_low);
    const __m256i bad_high = table(nibbles::bad_high);
    const __m256i shift = table(nibbles::shift);
    const __m256i delta = table(nibbles::delta);
    const __m256i pack = table(nibbles::pack);
    std::int64_t i = 0;
    // Two stores of 16 bytes, 12 of them good, reach 28 bytes.
    for (; length - i >= 32 && capacity >= 28; i += 32, capacity -= 24, out += 24) {
        const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i));
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(c, 4), nibble);
        const __m256i low = _mm256_and_si256(c, nibble);
        if (!_mm256_testz_si256(_mm256_shuffle_epi8(bad_low, low),
                                _mm256_shuffle_epi8(bad_high, high))) {
            break;
        }
        const __m256i slot = _mm256_add_epi8(high, _mm256_shuffle_epi8(shift, low));
        const __m256i value = _mm256_add_epi8(c, _mm256_shuffle_epi8(delta, slot));
        const __m256i pairs = _mm256_maddubs_epi16(value, _mm256_set1_epi32(0x01400140));
        const __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
        const __m256i bytes = _mm256_shuffle_epi8(groups, pack);
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(bytes));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 12), _mm256_extracti128_si256(bytes, 1));
    }
    return i;
}

int alphabets(const std::uint8_t* text, std::int64_t length) noexcept {
    const __m256i standard = table(nibbles::standard_only);
    const __m256i url = table(nibbles::url_only);
    __m256i seen_standard = _mm256_setzero_si256();
    __m256i seen_url = _mm256_setzero_si256();
    std::int64_t i = 0;
    for (; length - i >= 32; i += 32) {
        const __m256i c = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i));
        seen_standard =
            _mm256_or_si256(seen_standard, _mm256_cmpeq_epi8(_mm256_shuffle_epi8(standard, c), c));
        seen_url = _mm256_or_si256(seen_url, _mm256_cmpeq_epi8(_mm256_shuffle_epi8(url, c), c));
    }
    return (_mm256_movemask_epi8(seen_standard) != 0 ? standard_alphabet : 0) |
           (_mm256_movemask_epi8(seen_url) != 0 ? url_alphabet : 0) |
           seen_alphabets(text + i, length - i);
}

}  // namespace refpix::base64::avx2
