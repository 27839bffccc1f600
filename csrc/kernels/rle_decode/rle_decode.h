// Masks given as run lengths to 0/1 bytes.
#pragma once

#include <cstdint>

#include "core/rle.h"

namespace refpix {

struct RleDecode {
    Rles masks;
    bool fortran = false;  // columns one after the other, as the runs go; else rows
    int threads = 1;
    const std::int64_t* offsets = nullptr;  // (masks.count + 1,), see rle_decode_offsets
    std::uint8_t* out = nullptr;            // item i goes to out[offsets[i]:offsets[i + 1]]
    bool zeroed = false;  // out holds zeros: only the pages of foreground are touched
};

namespace cpu {
// Checks the masks, sums of runs included, and fills offsets (masks.count + 1,) with where their
// pixels go.
Status rle_decode_offsets(const Rles& masks, std::int64_t* offsets) noexcept;
// Runs that do not sum to height * width are a fault here too; nothing is written beyond the item.
Status rle_decode(const RleDecode& args) noexcept;
}  // namespace cpu

}  // namespace refpix
