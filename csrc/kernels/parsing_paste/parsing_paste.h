// Predicted label maps, each resized into its box on an empty canvas.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ParsingPaste {
    const float* boxes = nullptr;        // (count, 4): x1, y1, x2, y2 in canvas pixels
    const std::uint8_t* maps = nullptr;  // (count, map_height, map_width)
    std::int64_t count = 0;
    std::int64_t map_height = 0;
    std::int64_t map_width = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, height, width)
};

namespace cpu {
Status parsing_paste(const ParsingPaste& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` on the device; `threads` is ignored.
struct ParsingPasteRun {
    ParsingPaste args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
int parsing_paste(const ParsingPasteRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
