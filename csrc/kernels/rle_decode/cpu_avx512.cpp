// A word of bits is a mask of 64 bytes.
#include <immintrin.h>

#include "kernels/rle_decode/bit_rows.h"

namespace refpix::rle_plane::avx512 {
namespace {

// All ones are -1, whose absolute value is wanted.
__m512i bytes(std::uint64_t bits) noexcept {
    return _mm512_abs_epi8(_mm512_movm_epi8(bits));
}

struct Store {
    static void expand(std::uint8_t* out, std::uint64_t bits) noexcept {
        _mm512_storeu_si512(out, bytes(bits));
    }
    static void expand(std::uint8_t* out, std::uint64_t bits, int count) noexcept {
        _mm512_mask_storeu_epi8(out, _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count)),
                                bytes(bits));
    }
    static void fill(std::uint8_t* out, bool foreground) noexcept {
        _mm512_storeu_si512(out, _mm512_set1_epi8(foreground));
    }
};

}  // namespace

Fault rows(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    return bit_rows<Store>(mask, zeroed, out);
}

Fault columns(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    return vector_columns<Store>(mask, zeroed, out);
}

}  // namespace refpix::rle_plane::avx512
