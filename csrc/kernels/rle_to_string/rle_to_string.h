// Run lengths to COCO's compressed text.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/rle.h"

namespace refpix {

struct RleToString {
    Rles masks;  // sizes are not looked at and may be nullptr
    int threads = 1;
};

namespace cpu {
// text: one item per mask.
Status rle_to_string(const RleToString& args, Ragged<std::uint8_t>* text) noexcept;
}  // namespace cpu

}  // namespace refpix
