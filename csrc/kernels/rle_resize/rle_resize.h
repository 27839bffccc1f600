// Masks given as run lengths to other sizes, every pixel showing one source pixel.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/rle.h"

namespace refpix {

// Whose nearest pixel it is.
enum class MaskResizeRule { torch, opencv, pillow };

struct RleResize {
    Rles masks;
    const std::int64_t* new_sizes = nullptr;  // (count, 2): height, width
    MaskResizeRule rule = MaskResizeRule::torch;
    int threads = 1;
};

namespace cpu {
Status rle_resize(const RleResize& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
