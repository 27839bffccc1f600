// Mirrored pictures, each as its flag says.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

namespace flip {
inline constexpr std::uint8_t horizontal = 1;
inline constexpr std::uint8_t vertical = 2;
}  // namespace flip

struct ImageFlip {
    const std::uint8_t* images = nullptr;  // (count, height, width) pixels
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t pixel_bytes = 3;
    const std::uint8_t* flips = nullptr;  // (count,): bits of flip
    int threads = 1;
    std::uint8_t* out = nullptr;  // as images, of which it shares nothing

    REFPIX_HD std::int64_t row_bytes() const noexcept { return width * pixel_bytes; }
    REFPIX_HD std::int64_t image_bytes() const noexcept { return height * width * pixel_bytes; }

    REFPIX_HD Status check(std::int64_t item) const noexcept {
        return (flips[item] & ~(flip::horizontal | flip::vertical)) == 0
                   ? Status{}
                   : Status{Fault::augment_out_of_range, item, -1};
    }
};

namespace cpu {
Status image_flip(const ImageFlip& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` as above, on the device; `threads` is ignored.
struct ImageFlipRun {
    ImageFlip args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
int image_flip(const ImageFlipRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
