// The pixels of dense masks that have background within a distance.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct MaskBoundary {
    const std::uint8_t* masks = nullptr;  // (count, height, width), not 0: foreground
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t distance = -1;  // pixels; negative: ratio of the diagonal, at least 1
    double ratio = 0.02;
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, height, width), 0 or 1; may be masks
};

namespace cpu {
Status mask_boundary(const MaskBoundary& args) noexcept;
}  // namespace cpu

}  // namespace refpix
