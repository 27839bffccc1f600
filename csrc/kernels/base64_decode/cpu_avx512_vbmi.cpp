// 64 characters to 48 bytes: one lookup in a table of 128, one permutation of bytes.
//
// tests/native runs this file on any machine, with its intrinsics emulated.
#include <immintrin.h>

#include "kernels/base64_decode/alphabet.h"
#include "kernels/base64_decode/blocks.h"

namespace refpix::base64::avx512_vbmi {
namespace {

// Byte 4g + k of the result's first 48 is byte 2 - k of 32-bit word g.
struct Join {
    std::uint8_t from[64];
};

constexpr Join make_join() noexcept {
    Join join{};
    for (int byte = 0; byte < 48; ++byte) {
        join.from[byte] = static_cast<std::uint8_t>(byte / 3 * 4 + 2 - byte % 3);
    }
    return join;
}

constexpr Join join_bytes = make_join();

}  // namespace

std::int64_t blocks(const std::uint8_t* text, std::int64_t length, std::uint8_t* out,
                    std::int64_t capacity) noexcept {
    // The lookup ignores bit 7 of a character; what is not ASCII shows in the character itself.
    const __m512i first = _mm512_loadu_si512(values.of);
    const __m512i second = _mm512_loadu_si512(values.of + 64);
    const __m512i join = _mm512_loadu_si512(join_bytes.from);
    std::int64_t i = 0;
    for (; length - i >= 64 && capacity >= 64; i += 64, capacity -= 48, out += 48) {
        const __m512i c = _mm512_loadu_si512(text + i);
        const __m512i value = _mm512_permutex2var_epi8(first, c, second);
        if (_mm512_movepi8_mask(_mm512_or_si512(c, value)) != 0) {
            break;
        }
        const __m512i pairs = _mm512_maddubs_epi16(value, _mm512_set1_epi32(0x01400140));
        const __m512i groups = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x00011000));
        // With a mask of all bytes: GCC 12 warns about the intrinsic without one.
        _mm512_storeu_si512(out, _mm512_maskz_permutexvar_epi8(~__mmask64{0}, join, groups));
    }
    return i;
}

}  // namespace refpix::base64::avx512_vbmi
