#include <immintrin.h>

#include "kernels/parsing_paste/shuffle.h"

namespace refpix::avx2 {

void shuffle_row(const std::uint8_t* source, const std::int32_t* bases, const std::uint8_t* masks,
                 std::int64_t blocks, std::uint8_t* out) noexcept {
    for (std::int64_t block = 0; block < blocks; ++block) {
        const auto* from = reinterpret_cast<const __m128i*>(source + bases[block]);
        const auto* mask = reinterpret_cast<const __m128i*>(masks + shuffle_block * block);
        auto* to = reinterpret_cast<__m128i*>(out + shuffle_block * block);
        _mm_storeu_si128(to, _mm_shuffle_epi8(_mm_loadu_si128(from), _mm_loadu_si128(mask)));
    }
}

}  // namespace refpix::avx2
