// PDEP spreads a number's digits over 8 bytes, which are stored whole; no branch depends on how
// many there are.
#include <immintrin.h>

#include "kernels/rle_to_string/numbers.h"

namespace refpix::rle::avx2 {

std::int64_t write_differences(const std::uint32_t* counts, std::int64_t runs,
                               std::uint8_t* text) noexcept {
    constexpr std::uint64_t digit = 0x1f1f1f1f1f1f1f1f;
    constexpr std::uint64_t zero = 0x3030303030303030;
    constexpr std::uint64_t more = 0x2020202020202020;
    std::uint8_t* at = text;
    for (std::int64_t i = 0; i < runs; ++i) {
        const std::int64_t value = std::int64_t{counts[i]} - counts[i - 2];
        // Digits that are not just the sign's continuation: significant bits, the sign and four
        // more, by five. 13 / 64 is close enough to a fifth up to 34 bits.
        const std::uint64_t magnitude = static_cast<std::uint64_t>(value ^ value >> 63);
        const auto bits = static_cast<std::uint64_t>(64 - __builtin_clzll(magnitude | 1));
        const std::uint64_t digits = ((bits + 5) * 13) >> 6;
        const std::uint64_t go_on = _bzhi_u64(more, static_cast<unsigned>(8 * digits - 8));
        const std::uint64_t codes =
            (_pdep_u64(static_cast<std::uint64_t>(value), digit) | go_on) + zero;
        __builtin_memcpy(at, &codes, 8);
        at += digits;
    }
    return at - text;
}

}  // namespace refpix::rle::avx2
