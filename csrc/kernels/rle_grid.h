// The grid that polygons are drawn on: five lines per pixel, as the COCO API has it.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/status.h"

namespace refpix::grid {

// A coordinate in fifths of a pixel: 5c + 1/2, truncated towards zero also when negative. What does
// not fit in 32 bits is a fault; `position` is the byte it would be reported at.
inline Status line(double coordinate, std::int64_t item, std::int64_t position,
                   std::int32_t* out) noexcept {
    const double value = 5.0 * coordinate + 0.5;
    if (!(value > -2147483649.0 && value < 2147483648.0)) {
        return {std::isfinite(coordinate) ? Fault::polygon_too_large : Fault::polygon_not_finite,
                item, position};
    }
    *out = static_cast<std::int32_t>(value);
    return {};
}

// The first column or row whose middle, line 5c + 2 and the one after it, is not before this line:
// the one place where a column counts as crossed. `at` is below 2^31.
inline std::int64_t cell(std::int64_t at, std::int64_t cells) noexcept {
    const std::int64_t found = at > 0 ? static_cast<std::uint32_t>(at + 2) / 5 : 0;
    return found < cells ? found : cells;
}

}  // namespace refpix::grid
