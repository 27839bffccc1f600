// Where numbers end is found for 64 characters at once; then each is loaded with the 8 characters
// that begin at its first, and PEXT takes the digits together. No branch depends on a number's
// length.
#include <immintrin.h>

#include "kernels/rle_from_string/blocks.h"

namespace refpix::rle::avx2 {
namespace {

// Bit i: character i is the last of its number. False when one is outside the alphabet.
bool ends_of(const std::uint8_t* text, std::uint64_t* ends) noexcept {
    std::uint64_t bits = 0;
    for (int half = 0; half < 2; ++half) {
        const auto* from = reinterpret_cast<const __m256i*>(text + 32 * half);
        const __m256i codes = _mm256_sub_epi8(_mm256_loadu_si256(from), _mm256_set1_epi8(48));
        if (!_mm256_testz_si256(codes, _mm256_set1_epi8(static_cast<char>(0xc0)))) {
            return false;
        }
        const auto more =
            static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(codes, 2)));
        bits |= std::uint64_t{~more} << (32 * half);
    }
    *ends = bits;
    return true;
}

// The number whose characters are text[0..-minus_length), 1 to 8 of them.
std::int64_t number(const std::uint8_t* text, std::int64_t minus_length) noexcept {
    std::uint64_t codes;
    __builtin_memcpy(&codes, text, 8);
    // Less 48, a digit's five bits are those of its character with the highest one flipped. The
    // last digit is shifted to the top, so that it brings the sign along.
    codes = (codes ^ 0x1010101010101010) << ((8 * minus_length) & 63);
    const std::uint64_t digits = _pext_u64(codes, 0x1f1f1f1f1f1f1f1f) << 24;
    return static_cast<std::int64_t>(digits) >> ((5 * minus_length) & 63);
}

// Whether a number may have more than 8 characters: `ends` of a block, and the characters before
// it that belong to its first.
bool has_long_number(std::uint64_t ends, std::int64_t before) noexcept {
    std::uint64_t more = ~ends;
    more &= more >> 1;
    more &= more >> 2;
    more &= more >> 4;
    return more != 0 || ends == 0 || before + static_cast<std::int64_t>(_tzcnt_u64(ends)) >= 8;
}

// Reads the numbers that end in a block and moves *start behind the last. Returns all runs ORed.
std::int64_t read_numbers(const std::uint8_t* text, std::uint64_t ends, std::int64_t block,
                          std::int64_t* start, std::uint32_t* counts) noexcept {
    std::int64_t even = counts[-2];
    std::int64_t odd = counts[-1];
    std::int64_t seen = 0;
    std::int64_t from = *start;
    const auto read = [&](std::int64_t before) {
        const std::int64_t stop = block + static_cast<std::int64_t>(_tzcnt_u64(ends)) + 1;
        const std::int64_t run = number(text + from, from - stop) + before;
        ends &= ends - 1;
        *counts++ = static_cast<std::uint32_t>(run);
        seen |= run;
        from = stop;
        return run;
    };
    while ((ends & (ends - 1)) != 0) {
        even = read(even);
        odd = read(odd);
    }
    if (ends != 0) {
        read(even);
    }
    *start = from;
    return seen;
}

// Reads the numbers that end at wanted characters of a block, or none of it and returns false.
bool parse_block(const std::uint8_t* text, std::int64_t block, std::uint64_t wanted,
                 std::uint32_t* counts, Cursor* at) noexcept {
    std::uint64_t ends;
    std::int64_t start = at->next;
    if (!ends_of(text + block, &ends) || has_long_number(ends, block - start)) {
        return false;
    }
    ends &= wanted;
    if (read_numbers(text, ends, block, &start, counts + at->runs) >> 32 != 0) {
        return false;
    }
    at->next = start;
    at->runs += _mm_popcnt_u64(ends);
    return true;
}

}  // namespace

void parse_blocks(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                  Cursor* at) noexcept {
    for (std::int64_t block = at->next; length - block >= block_characters; block += 64) {
        if (!parse_block(text, block, ~std::uint64_t{0}, counts, at)) {
            return;
        }
    }
}

void parse_rest(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                Cursor* at) noexcept {
    // Characters that are numbers of their own stand behind the text and are not read.
    std::uint8_t copy[128 + 16];
    const std::int64_t rest = length - at->next;
    __builtin_memset(copy, 48, sizeof copy);
    __builtin_memcpy(copy, text + at->next, static_cast<std::size_t>(rest));
    Cursor in_copy{0, at->runs};
    for (std::int64_t block = 0; block < rest; block += 64) {
        const std::uint64_t all = ~std::uint64_t{0};
        const std::uint64_t wanted =
            rest - block < 64 ? _bzhi_u64(all, static_cast<unsigned>(rest - block)) : all;
        if (!parse_block(copy, block, wanted, counts, &in_copy)) {
            break;
        }
    }
    at->next += in_copy.next;
    at->runs = in_copy.runs;
}

}  // namespace refpix::rle::avx2
