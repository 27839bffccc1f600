// The box around what is not zero, per matte.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct AlphaBbox {
    const std::uint8_t* mattes = nullptr;  // (count, height, width)
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    int threads = 1;
    std::int64_t* out = nullptr;  // (count, 4): x, y, w, h; zeros for an empty matte
};

namespace cpu {
Status alpha_bbox(const AlphaBbox& args) noexcept;
}  // namespace cpu

}  // namespace refpix
