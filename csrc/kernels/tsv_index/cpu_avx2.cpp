// 128 bytes a turn. Rows of hundreds of kilobytes are the rule, so blocks without a newline
// come first; the loop over a block's newlines serves files of short rows.
#include <immintrin.h>

#include "kernels/tsv_index/newlines.h"

namespace refpix::tsv::avx2 {
namespace {

std::int64_t collect(std::uint64_t mask, std::int64_t at, std::int64_t* ends) noexcept {
    std::int64_t count = 0;
    for (; mask != 0; mask &= mask - 1) {
        ends[count++] = at + static_cast<std::int64_t>(_tzcnt_u64(mask)) + 1;
    }
    return count;
}

std::uint64_t mask_of(__m256i low, __m256i high) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
           static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32;
}

}  // namespace

std::int64_t newlines(const std::uint8_t* values, std::int64_t* next, std::int64_t stop,
                      std::int64_t* ends, std::int64_t room) noexcept {
    const __m256i newline = _mm256_set1_epi8('\n');
    std::int64_t count = 0;
    std::int64_t at = *next;
    for (; stop - at >= 128 && room - count >= newline_block; at += 128) {
        const auto* block = reinterpret_cast<const __m256i*>(values + at);
        const __m256i a = _mm256_cmpeq_epi8(_mm256_loadu_si256(block), newline);
        const __m256i b = _mm256_cmpeq_epi8(_mm256_loadu_si256(block + 1), newline);
        const __m256i c = _mm256_cmpeq_epi8(_mm256_loadu_si256(block + 2), newline);
        const __m256i d = _mm256_cmpeq_epi8(_mm256_loadu_si256(block + 3), newline);
        const __m256i any = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
        if (!_mm256_testz_si256(any, any)) {
            count += collect(mask_of(a, b), at, ends + count);
            count += collect(mask_of(c, d), at + 64, ends + count);
        }
    }
    if (stop - at < 128 && room - count >= newline_block) {
        for (; at < stop; ++at) {
            if (values[at] == '\n') {
                ends[count++] = at + 1;
            }
        }
    }
    *next = at;
    return count;
}

}  // namespace refpix::tsv::avx2
