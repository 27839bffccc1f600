// The rows of a PNG file after inflating, back to pixels.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct PngUnfilter {
    const std::uint8_t* rows = nullptr;  // (height, 1 + row_bytes): a filter's number, then the row
    std::int64_t height = 0;
    std::int64_t row_bytes = 0;
    std::int64_t pixel_bytes = 1;  // 1..8
    std::uint8_t* out = nullptr;   // (height, row_bytes)
};

namespace cpu {
Status png_unfilter(const PngUnfilter& args) noexcept;
}  // namespace cpu

}  // namespace refpix
