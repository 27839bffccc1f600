// Masks of bytes to run lengths, whatever their memory order.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/status.h"

namespace refpix {

struct RleEncode {
    const std::uint8_t* masks = nullptr;  // pixel (0, 0) of item 0
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t stride_item = 0;  // bytes; of any sign, as all strides
    std::int64_t stride_y = 0;
    std::int64_t stride_x = 0;
    bool change = false;  // a run ends where the byte changes; else where != 0 does
    int threads = 1;
};

namespace cpu {
// out gets one item per mask; of a mask without pixels it is a run of 0.
Status rle_encode(const RleEncode& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

}  // namespace refpix
