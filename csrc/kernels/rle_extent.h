// Bounding box and area of a mask, from its runs.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix::rle {

// Half-open; all zero for a mask without foreground.
struct Extent {
    std::int64_t x0 = 0;
    std::int64_t y0 = 0;
    std::int64_t x1 = 0;
    std::int64_t y1 = 0;
    std::int64_t area = 0;
    std::int64_t first = 0;  // pixels down the columns: from the first foreground one
    std::int64_t stop = 0;   // to behind the last
};

// The mask's runs were checked. Runs of length zero count for nothing.
inline Extent extent(const Rle& mask) noexcept {
    Extent box;
    const std::int64_t height = mask.height;
    std::int64_t at = 0;
    std::int64_t row = 0;  // of pixel `at`
    std::int64_t first = -1;
    std::int64_t last = -1;
    std::int64_t top = height;
    std::int64_t bottom = 0;
    // Runs are mostly shorter than a column, so that one subtraction does for the remainder.
    const auto advance = [&](std::int64_t run) {
        at += run;
        row += run;
        if (row >= height) {
            row -= height;
            if (row >= height) {
                row %= height;
            }
        }
    };
    for (std::int64_t run = 0; run + 1 < mask.runs; run += 2) {
        const std::int64_t length = mask.counts[run + 1];
        if (length == 0) {
            at += mask.counts[run];
            row = height > 0 ? at % height : 0;
            continue;
        }
        advance(mask.counts[run]);
        first = first < 0 ? at : first;
        last = at + length - 1;
        box.area += length;
        top = row < top ? row : top;
        bottom = row + length > bottom ? row + length : bottom;
        advance(length);
    }
    if (first < 0) {
        return box;
    }
    // A run that goes on in the next column takes up whole columns' height.
    const bool full = bottom > height;
    box.first = first;
    box.stop = last + 1;
    box.x0 = first / height;
    box.x1 = last / height + 1;
    box.y0 = full ? 0 : top;
    box.y1 = full ? height : bottom;
    return box;
}

}  // namespace refpix::rle
