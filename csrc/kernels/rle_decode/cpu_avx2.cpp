// 32 bits are spread to the bytes they stand for, each byte keeps its own bit.
#include <immintrin.h>

#include "kernels/rle_decode/bit_rows.h"

namespace refpix::rle_plane::avx2 {
namespace {

__m256i spread(std::uint32_t bits) noexcept {
    const __m256i byte_of_bit = _mm256_setr_epi64x(0x0000000000000000, 0x0101010101010101,
                                                   0x0202020202020202, 0x0303030303030303);
    const __m256i bit_of_byte = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i bytes =
        _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(bits)), byte_of_bit);
    return _mm256_min_epu8(_mm256_and_si256(bytes, bit_of_byte), _mm256_set1_epi8(1));
}

struct Store {
    static void expand(std::uint8_t* out, std::uint64_t bits) noexcept {
        auto* const at = reinterpret_cast<__m256i*>(out);
        _mm256_storeu_si256(at, spread(static_cast<std::uint32_t>(bits)));
        _mm256_storeu_si256(at + 1, spread(static_cast<std::uint32_t>(bits >> 32)));
    }
    static void expand(std::uint8_t* out, std::uint64_t bits, int count) noexcept {
        alignas(32) std::uint8_t block[64];
        expand(block, bits);
        std::memcpy(out, block, static_cast<std::size_t>(count));
    }
    static void fill(std::uint8_t* out, bool foreground) noexcept {
        auto* const at = reinterpret_cast<__m256i*>(out);
        const __m256i value = _mm256_set1_epi8(foreground);
        _mm256_storeu_si256(at, value);
        _mm256_storeu_si256(at + 1, value);
    }
};

}  // namespace

Fault rows(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    return bit_rows<Store>(mask, zeroed, out);
}

Fault columns(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    return vector_columns<Store>(mask, zeroed, out);
}

}  // namespace refpix::rle_plane::avx2
