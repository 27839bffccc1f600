#include <immintrin.h>

#include "kernels/mask_boundary/erode.h"

namespace refpix::boundary::avx2 {
namespace {

struct Bits {
    static std::uint32_t half(const std::uint8_t* pixels) noexcept {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixels));
        const __m256i zero = _mm256_cmpeq_epi8(bytes, _mm256_setzero_si256());
        return ~static_cast<std::uint32_t>(_mm256_movemask_epi8(zero));
    }
    static bool pack(const std::uint8_t* pixels, std::int64_t width,
                     std::uint64_t* words) noexcept {
        std::uint64_t any = 0;
        std::int64_t x = 0;
        for (; x + 64 <= width; x += 64) {
            const std::uint64_t word =
                half(pixels + x) | static_cast<std::uint64_t>(half(pixels + x + 32)) << 32;
            words[x / 64] = word;
            any |= word;
        }
        if (x < width) {
            words[x / 64] = Tail<Bits>::pack(pixels + x, width - x);
            any |= words[x / 64];
        }
        return any != 0;
    }

    static void spread(std::uint32_t bits, std::uint8_t* out) noexcept {
        const __m256i bytes =
            _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
        const __m256i select = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
        const __m256i all = _mm256_set1_epi32(static_cast<int>(bits));
        const __m256i own = _mm256_and_si256(_mm256_shuffle_epi8(all, bytes), select);
        const __m256i set = _mm256_cmpeq_epi8(own, select);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                            _mm256_and_si256(set, _mm256_set1_epi8(1)));
    }
    static void unpack(const std::uint64_t* words, std::int64_t width, std::uint8_t* out) noexcept {
        std::int64_t x = 0;
        for (; x + 64 <= width; x += 64) {
            spread(static_cast<std::uint32_t>(words[x / 64]), out + x);
            spread(static_cast<std::uint32_t>(words[x / 64] >> 32), out + x + 32);
        }
        if (x < width) {
            Tail<Bits>::unpack(words[x / 64], width - x, out + x);
        }
    }
};

}  // namespace

void boundary(const Picture& picture) noexcept {
    Erosion<Bits>::run(picture);
}

}  // namespace refpix::boundary::avx2
