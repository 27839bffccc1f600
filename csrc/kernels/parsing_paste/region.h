// Where on the canvas a box lies, shared by cpu.cpp and cuda.cu.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/parsing_paste/parsing_paste.h"

namespace refpix::paste {

struct Region {
    std::int64_t x1, y1, x2, y2;  // half open; empty when x2 or y2 is 0
};

// Neither NaN nor infinite.
REFPIX_HD inline bool is_finite(float value) {
    return value - value == 0.0F;
}

// Truncated to whole pixels and held to 0..size. Clamping first gives the same and keeps the
// conversion within range.
REFPIX_HD inline std::int64_t whole_pixel(float value, std::int64_t size) {
    const auto limit = static_cast<float>(size);
    const std::int64_t pixel = value <= 0.0F    ? 0
                               : value >= limit ? size
                                                : static_cast<std::int64_t>(value);
    return pixel < size ? pixel : size;
}

// A reversed or empty side becomes the one pixel before its end.
REFPIX_HD inline std::int64_t side_start(std::int64_t start, std::int64_t stop) {
    const std::int64_t held = start < stop - 1 ? start : stop - 1;
    return held > 0 ? held : 0;
}

REFPIX_HD inline Region region(const float* box, std::int64_t height, std::int64_t width) {
    Region r{whole_pixel(box[0], width), whole_pixel(box[1], height), whole_pixel(box[2], width),
             whole_pixel(box[3], height)};
    r.x1 = side_start(r.x1, r.x2);
    r.y1 = side_start(r.y1, r.y2);
    return r;
}

REFPIX_HD inline Status check_item(const ParsingPaste& args, std::int64_t item) {
    for (std::int64_t i = 0; i < 4; ++i) {
        if (!is_finite(args.boxes[4 * item + i])) {
            return {Fault::box_not_finite, item, i * static_cast<std::int64_t>(sizeof(float))};
        }
    }
    return {};
}

}  // namespace refpix::paste
