// Bounding boxes of masks given as run lengths.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix {

struct RleBbox {
    Rles masks;
    int threads = 1;
    std::int64_t* out = nullptr;  // (masks.count, 4): x, y, width, height
};

namespace cpu {
Status rle_bbox(const RleBbox& args) noexcept;
}  // namespace cpu

}  // namespace refpix
