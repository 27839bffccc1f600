// Boxes as masks, pixel for pixel as the COCO API draws them.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/status.h"

namespace refpix {

struct RleFromBbox {
    const double* boxes = nullptr;  // (count, 4): x, y, width, height
    std::int64_t count = 0;
    const std::int64_t* sizes = nullptr;  // (count, 2): height, width of the picture
    int threads = 1;
};

namespace cpu {
Status rle_from_bbox(const RleFromBbox& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
