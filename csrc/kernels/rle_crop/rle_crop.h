// Rectangles cut out of masks given as run lengths.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/rle.h"

namespace refpix {

struct RleCrop {
    Rles masks;
    const std::int64_t* boxes = nullptr;  // (count, 4): x0, y0, x1, y1, half-open
    int threads = 1;
    std::int64_t* out_sizes = nullptr;  // (count, 2): height, width; may be left out
};

namespace cpu {
Status rle_crop(const RleCrop& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
