// Background, transition and foreground of mattes.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct TrimapFromAlpha {
    const void* alpha = nullptr;  // (count, height, width), float or uint8
    bool is_float = true;
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t size = 25;       // of the ellipse, pixels
    std::int64_t iterations = 1;  // how often it is applied
    double foreground = 0;        // values above it are foreground
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, height, width): 0, 1, 2
};

namespace cpu {
Status trimap_from_alpha(const TrimapFromAlpha& args) noexcept;
}  // namespace cpu

}  // namespace refpix
