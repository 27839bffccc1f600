#include <immintrin.h>

#include "kernels/mask_boundary/erode.h"

namespace refpix::boundary::avx512 {
namespace {

struct Bits {
    static bool pack(const std::uint8_t* pixels, std::int64_t width,
                     std::uint64_t* words) noexcept {
        std::uint64_t any = 0;
        std::int64_t x = 0;
        for (; x + 64 <= width; x += 64) {
            const __m512i bytes = _mm512_loadu_si512(pixels + x);
            words[x / 64] = _mm512_test_epi8_mask(bytes, bytes);
            any |= words[x / 64];
        }
        if (x < width) {
            const __m512i bytes = _mm512_maskz_loadu_epi8(first(width - x), pixels + x);
            words[x / 64] = _mm512_test_epi8_mask(bytes, bytes);
            any |= words[x / 64];
        }
        return any != 0;
    }
    static void unpack(const std::uint64_t* words, std::int64_t width, std::uint8_t* out) noexcept {
        std::int64_t x = 0;
        for (; x + 64 <= width; x += 64) {
            _mm512_storeu_si512(out + x, _mm512_maskz_set1_epi8(words[x / 64], 1));
        }
        if (x < width) {
            _mm512_mask_storeu_epi8(out + x, first(width - x),
                                    _mm512_maskz_set1_epi8(words[x / 64], 1));
        }
    }
    static __mmask64 first(std::int64_t count) noexcept {
        return _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(count));
    }
};

}  // namespace

void boundary(const Picture& picture) noexcept {
    Erosion<Bits>::run(picture);
}

}  // namespace refpix::boundary::avx512
