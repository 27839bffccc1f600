// Intersection and areas of pairs of masks given as run lengths.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix {

struct RleOverlap {
    Rles masks;
    const std::int64_t* pairs = nullptr;  // (pair_count, 2): items of masks
    std::int64_t pair_count = 0;
    int threads = 1;
    std::int64_t* out = nullptr;  // (pair_count, 3): intersection, area of the first, the second
};

namespace cpu {
// Faults of a pair (an index without a mask, sizes that differ) name the pair, others the mask.
Status rle_overlap(const RleOverlap& args) noexcept;
}  // namespace cpu

}  // namespace refpix
