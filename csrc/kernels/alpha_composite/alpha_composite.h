// A foreground laid over a background through a matte, at a position, clipped to the background.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

enum class CompositeMode : int {
    paste,   // uint8, Pillow's Image.paste through a mask
    rgba,    // uint8 RGBA over RGBA, Pillow's Image.alpha_composite
    linear,  // uint8, mixed in linear light
    real,    // float32 planes and mattes
};

struct AlphaComposite {
    CompositeMode mode = CompositeMode::paste;
    // Of uint8, or of float32 in mode `real`. `out` holds the backgrounds when the call begins.
    const void* foregrounds = nullptr;        // (count, fg_height, fg_width, channels)
    const void* mattes = nullptr;             // (count, fg_height, fg_width); null in mode rgba
    void* out = nullptr;                      // (count, height, width, channels)
    const std::int64_t* positions = nullptr;  // (count, 2): x, y of the foreground's first pixel
    std::int64_t count = 0;
    std::int64_t height = 0, width = 0;
    std::int64_t fg_height = 0, fg_width = 0;
    std::int64_t channels = 3;
    int threads = 1;
};

namespace cpu {
Status alpha_composite(const AlphaComposite& args) noexcept;
}  // namespace cpu

namespace composite {
struct LinearTables;
inline constexpr std::int64_t linear_table_bytes = 6144;
}  // namespace composite

namespace cuda {

// All pointers as above, on the device; `threads` is ignored. `out` is written whole, unless it is
// `backgrounds`. A row holds less than 2^31 values.
struct AlphaCompositeRun {
    AlphaComposite args;
    const void* backgrounds = nullptr;          // like `out`
    composite::LinearTables* tables = nullptr;  // scratch, in mode linear
};
int alpha_composite(const AlphaCompositeRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
