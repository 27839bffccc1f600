// Brightness, contrast, saturation and hue of pictures, as Pillow changes them, to the bit.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ImageColorJitter {
    const std::uint8_t* images = nullptr;  // (count, height, width, 3)
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    const void* factors = nullptr;         // (count, 4): brightness, contrast, saturation, hue
    bool double_factors = true;            // else float
    const std::uint8_t* orders = nullptr;  // (count, 4): steps as they come; null: 0, 1, 2, 3
    int threads = 1;
    std::uint8_t* out = nullptr;  // as images, of which it shares nothing

    REFPIX_HD std::int64_t pixels() const noexcept { return height * width; }
};

namespace cpu {
Status image_color_jitter(const ImageColorJitter& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` as above, on the device; `threads` is ignored.
struct ImageColorJitterRun {
    ImageColorJitter args;
    std::int64_t* first_bad = nullptr;   // (1,), scratch
    unsigned long long* sums = nullptr;  // (count,), scratch
    DeviceFault* fault = nullptr;
};
int image_color_jitter(const ImageColorJitterRun& run, DeviceStream stream) noexcept;

}  // namespace cuda

}  // namespace refpix
