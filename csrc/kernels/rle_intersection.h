// Pixels that two masks share, run by run.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix::rle {

// Both masks were checked and have one size.
inline std::int64_t intersection(const Rle& a, const Rle& b) noexcept {
    std::int64_t shared = 0;
    std::int64_t i = 0;
    std::int64_t j = 0;
    if (a.runs < 2 || b.runs < 2) {
        return 0;
    }
    // Foreground runs i and j, half-open.
    std::int64_t a0 = a.counts[0];
    std::int64_t a1 = a0 + a.counts[1];
    std::int64_t b0 = b.counts[0];
    std::int64_t b1 = b0 + b.counts[1];
    for (;;) {
        const std::int64_t start = a0 > b0 ? a0 : b0;
        const std::int64_t stop = a1 < b1 ? a1 : b1;
        shared += stop > start ? stop - start : 0;
        if (a1 < b1) {
            i += 2;
            if (i + 1 >= a.runs) {
                break;
            }
            a0 = a1 + a.counts[i];
            a1 = a0 + a.counts[i + 1];
        } else {
            j += 2;
            if (j + 1 >= b.runs) {
                break;
            }
            b0 = b1 + b.counts[j];
            b1 = b0 + b.counts[j + 1];
        }
    }
    return shared;
}

}  // namespace refpix::rle
