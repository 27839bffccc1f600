// 256 bytes a turn, compared into masks.
#include <immintrin.h>

#include "kernels/tsv_index/newlines.h"

namespace refpix::tsv::avx512 {
namespace {

std::int64_t collect(std::uint64_t mask, std::int64_t at, std::int64_t* ends) noexcept {
    std::int64_t count = 0;
    for (; mask != 0; mask &= mask - 1) {
        ends[count++] = at + static_cast<std::int64_t>(_tzcnt_u64(mask)) + 1;
    }
    return count;
}

}  // namespace

std::int64_t newlines(const std::uint8_t* values, std::int64_t* next, std::int64_t stop,
                      std::int64_t* ends, std::int64_t room) noexcept {
    const __m512i newline = _mm512_set1_epi8('\n');
    std::int64_t count = 0;
    std::int64_t at = *next;
    for (; stop - at >= 256 && room - count >= newline_block; at += 256) {
        __mmask64 masks[4];
        for (int i = 0; i < 4; ++i) {
            masks[i] = _mm512_cmpeq_epi8_mask(_mm512_loadu_si512(values + at + 64 * i), newline);
        }
        if ((masks[0] | masks[1] | masks[2] | masks[3]) != 0) {
            for (int i = 0; i < 4; ++i) {
                count += collect(masks[i], at + 64 * i, ends + count);
            }
        }
    }
    if (stop - at < 256 && room - count >= newline_block) {
        for (; at < stop; ++at) {
            if (values[at] == '\n') {
                ends[count++] = at + 1;
            }
        }
    }
    *next = at;
    return count;
}

}  // namespace refpix::tsv::avx512
