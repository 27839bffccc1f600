// One mask's pixels, once per instruction set.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix::rle_plane {

// The mask is not empty. `zeroed` says that out holds zeros already.
using Plane = Fault(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept;

namespace scalar {
Plane rows;
Plane columns;
}  // namespace scalar
namespace avx2 {
Plane rows;
Plane columns;
}  // namespace avx2
namespace avx512 {
Plane rows;
Plane columns;
}  // namespace avx512

// Memory of the calling thread for so many words, nullptr when there is none. Not inline: what the
// files of instruction sets share must not be compiled with their flags.
std::uint64_t* word_room(std::int64_t words) noexcept;

// Only zeros may follow the run that reached the last pixel.
static inline Fault rest(const Rle& mask, std::int64_t run) noexcept {
    for (; run < mask.runs; ++run) {
        if (mask.counts[run] != 0) {
            return Fault::rle_too_long;
        }
    }
    return Fault::none;
}

// Where the value changes, going down column after column: change(x, y) before pixel (y, x). A
// foreground that runs over the end of a column is, to rows, a change at the top of the next.
// Two changes at one place cancel out, as runs of zero length want it.
template <typename Change>
Fault walk(const Rle& mask, Change&& change) noexcept {
    const std::int64_t height = mask.height;
    std::int64_t left = mask.pixels();
    std::int64_t x = 0;
    std::int64_t y = 0;
    for (std::int64_t run = 0; run < mask.runs; ++run) {
        const std::int64_t length = mask.counts[run];
        if (length >= left) {
            if (length > left) {
                return Fault::rle_too_long;
            }
            if (run % 2 != 0) {
                while (++x < mask.width) {
                    change(x, 0);
                }
            }
            return rest(mask, run + 1);
        }
        left -= length;
        y += length;
        if (y >= height) {
            do {
                y -= height;
                ++x;
                if (run % 2 != 0) {
                    change(x, 0);
                }
            } while (y >= height);
        }
        change(x, y);
    }
    return Fault::rle_too_short;
}

}  // namespace refpix::rle_plane
