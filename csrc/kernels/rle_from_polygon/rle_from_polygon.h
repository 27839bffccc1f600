// Polygons as masks, pixel for pixel as the COCO API draws them.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/status.h"

namespace refpix {

struct RleFromPolygon {
    const double* coordinates = nullptr;    // x, y, x, y, ... all polygons end to end
    std::int64_t size = 0;                  // elements of coordinates
    const std::int64_t* offsets = nullptr;  // (count + 1,)
    std::int64_t count = 0;
    const std::int64_t* sizes = nullptr;  // (count, 2): height, width of the picture
    int threads = 1;
};

namespace cpu {
Status rle_from_polygon(const RleFromPolygon& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
