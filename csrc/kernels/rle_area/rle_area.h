// Foreground pixels of masks given as run lengths.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix {

struct RleArea {
    Rles masks;
    int threads = 1;
    std::int64_t* out = nullptr;  // (masks.count,)
};

namespace cpu {
Status rle_area(const RleArea& args) noexcept;
}  // namespace cpu

}  // namespace refpix
