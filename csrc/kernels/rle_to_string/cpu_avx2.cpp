// Eight numbers of up to four characters at a time: their digits are spread over the bytes of
// 32-bit lanes, and a table drops the bytes that no number has. Others are spread by PDEP, one by
// one. Nothing branches on how many characters a number has.
#include <immintrin.h>

#include "kernels/rle_to_string/numbers.h"

namespace refpix::rle::avx2 {
namespace {

// For four lanes of 1 to 4 bytes: which bytes to keep, and how many. Bit i of the entry's number
// and bit i + 4, twice, say how many more than one lane i has.
struct DropTable {
    alignas(16) std::uint8_t bytes[256][16];
    std::uint8_t lengths[256];

    constexpr DropTable() : bytes(), lengths() {
        for (int entry = 0; entry < 256; ++entry) {
            int to = 0;
            for (int lane = 0; lane < 4; ++lane) {
                const int length = 1 + (entry >> lane & 1) + 2 * (entry >> (lane + 4) & 1);
                for (int i = 0; i < length; ++i) {
                    bytes[entry][to++] = static_cast<std::uint8_t>(4 * lane + i);
                }
            }
            lengths[entry] = static_cast<std::uint8_t>(to);
        }
    }
};
constexpr DropTable drop_table;

std::uint8_t* write_number(std::int64_t value, std::uint8_t* at) noexcept {
    constexpr std::uint64_t digit = 0x1f1f1f1f1f1f1f1f;
    constexpr std::uint64_t zero = 0x3030303030303030;
    constexpr std::uint64_t more = 0x2020202020202020;
    // Digits that are not just the sign's continuation: significant bits, the sign and four
    // more, by five. 13 / 64 is close enough to a fifth up to 34 bits.
    const std::uint64_t magnitude = static_cast<std::uint64_t>(value ^ value >> 63);
    const auto bits = static_cast<std::uint64_t>(64 - __builtin_clzll(magnitude | 1));
    const std::uint64_t digits = ((bits + 5) * 13) >> 6;
    const std::uint64_t go_on = _bzhi_u64(more, static_cast<unsigned>(8 * digits - 8));
    const std::uint64_t codes =
        (_pdep_u64(static_cast<std::uint64_t>(value), digit) | go_on) + zero;
    __builtin_memcpy(at, &codes, 8);
    return at + digits;
}

std::uint8_t* write_each(const std::uint32_t* counts, std::int64_t runs,
                         std::uint8_t* at) noexcept {
    for (std::int64_t i = 0; i < runs; ++i) {
        at = write_number(std::int64_t{counts[i]} - counts[i - 2], at);
    }
    return at;
}

__m256i load(const std::uint32_t* from) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

std::uint32_t sign_bits(__m256i lanes) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(lanes)));
}

// Five bits a byte.
__m256i spread(__m256i values) noexcept {
    const auto digit = [&](__m256i shifted, int mask) {
        return _mm256_and_si256(shifted, _mm256_set1_epi32(mask));
    };
    const __m256i low =
        _mm256_or_si256(digit(values, 0x1f), digit(_mm256_slli_epi32(values, 3), 0x1f00));
    const __m256i high = _mm256_or_si256(digit(_mm256_slli_epi32(values, 6), 0x1f0000),
                                         digit(_mm256_slli_epi32(values, 9), 0x1f000000));
    return _mm256_or_si256(low, high);
}

std::uint8_t* write_four(__m128i codes, std::uint32_t entry, std::uint8_t* at) noexcept {
    const __m128i kept = _mm_load_si128(reinterpret_cast<const __m128i*>(drop_table.bytes[entry]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm_shuffle_epi8(codes, kept));
    return at + drop_table.lengths[entry];
}

// Writes at most 16 bytes behind those of the numbers.
std::uint8_t* write_eight(const std::uint32_t* counts, std::uint8_t* at) noexcept {
    const __m256i now = load(counts);
    const __m256i before = load(counts - 2);
    const __m256i values = _mm256_sub_epi32(now, before);
    const __m256i size = _mm256_xor_si256(values, _mm256_srai_epi32(values, 31));
    const auto exceeds = [&](int limit) {
        return _mm256_cmpgt_epi32(size, _mm256_set1_epi32(limit));
    };
    // Below 2^31 differences do not wrap.
    if (sign_bits(_mm256_or_si256(_mm256_or_si256(now, before), exceeds((1 << 19) - 1))) != 0) {
        return write_each(counts, 8, at);
    }
    const __m256i two = exceeds((1 << 4) - 1);
    const __m256i three = exceeds((1 << 9) - 1);
    const __m256i four = exceeds((1 << 14) - 1);
    const auto go_on = [&](__m256i lanes, int bit) {
        return _mm256_and_si256(lanes, _mm256_set1_epi32(bit));
    };
    __m256i codes = _mm256_or_si256(spread(values), go_on(two, 0x20));
    codes = _mm256_or_si256(codes, _mm256_or_si256(go_on(three, 0x2000), go_on(four, 0x200000)));
    codes = _mm256_add_epi8(codes, _mm256_set1_epi8(48));
    const std::uint32_t ones = sign_bits(_mm256_xor_si256(_mm256_xor_si256(two, three), four));
    const std::uint32_t twos = sign_bits(three);
    at = write_four(_mm256_castsi256_si128(codes), (ones & 15) | (twos & 15) << 4, at);
    return write_four(_mm256_extracti128_si256(codes, 1), ones >> 4 | (twos & 0xf0), at);
}

}  // namespace

std::int64_t write_runs(const std::uint32_t* counts, std::int64_t runs,
                        std::uint8_t* text) noexcept {
    std::uint8_t* at = text;
    std::int64_t done = 0;
    for (; done < runs && done < 3; ++done) {
        at = write_number(counts[done], at);
    }
    for (; runs - done >= 8; done += 8) {
        at = write_eight(counts + done, at);
    }
    return write_each(counts + done, runs - done, at) - text;
}

}  // namespace refpix::rle::avx2
