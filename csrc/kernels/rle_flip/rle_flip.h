// Masks given as run lengths mirrored.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/rle.h"

namespace refpix {

enum class FlipAxis { horizontal, vertical };  // left to right; upside down

struct RleFlip {
    Rles masks;
    FlipAxis axis = FlipAxis::horizontal;
    int threads = 1;
};

namespace cpu {
Status rle_flip(const RleFlip& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
