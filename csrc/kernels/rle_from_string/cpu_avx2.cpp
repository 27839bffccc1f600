// Where numbers end is found for 64 characters at once; then each is loaded with the 8 characters
// that begin at its first, and PEXT takes the digits together. No branch depends on a number's
// length. A number costs about 4 cycles.
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

// The number of `length` characters, 1 to 8.
std::int64_t number(const std::uint8_t* text, std::int64_t length) noexcept {
    std::uint64_t codes;
    __builtin_memcpy(&codes, text, 8);
    // Less 48, the digit's five bits are those of the character with the highest one flipped. Its
    // last digit is shifted to the top, so that it brings the sign along.
    codes = (codes ^ 0x1010101010101010) << ((64 - 8 * length) & 63);
    const std::uint64_t digits = _pext_u64(codes, 0x1f1f1f1f1f1f1f1f) << 24;
    return static_cast<std::int64_t>(digits) >> ((64 - 5 * length) & 63);
}

}  // namespace

void parse_blocks(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                  Cursor* at) noexcept {
    std::int64_t next = at->next;  // start of a number, at `block` or up to 7 before it
    std::int64_t runs = at->runs;
    for (std::int64_t block = next; length - block >= block_characters; block += 64) {
        std::uint64_t ends;
        if (!ends_of(text + block, &ends)) {
            break;
        }
        std::int64_t start = next;
        std::int64_t before = counts[runs - 1];
        std::int64_t before_that = counts[runs - 2];
        std::uint64_t wrong = 0;
        std::uint32_t* out = counts + runs;
        for (; ends != 0; ends &= ends - 1) {
            const std::int64_t stop = block + static_cast<std::int64_t>(_tzcnt_u64(ends)) + 1;
            const std::int64_t run = number(text + start, stop - start) + before_that;
            wrong |= static_cast<std::uint64_t>(run) >> 32;
            wrong |= static_cast<std::uint64_t>(stop - start) >> 3 & (stop - start != 8);
            *out++ = static_cast<std::uint32_t>(run);
            before_that = before;
            before = run;
            start = stop;
        }
        if (wrong != 0 || block + 64 - start >= 8) {
            break;
        }
        next = start;
        runs = out - counts;
    }
    at->next = next;
    at->runs = runs;
}

}  // namespace refpix::rle::avx2
