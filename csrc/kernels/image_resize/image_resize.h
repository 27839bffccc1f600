// Pillow's resampling of 8-bit images, bit for bit.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

enum class ResizeFilter : int { box, bilinear, bicubic, lanczos };

// Which pass comes first when both sizes change. The first pass is rounded to 8 bits, so the
// order shows: Pillow up to 12 goes horizontally first but for slivers (found by comparing with
// 12.3: more than 100 times as high as wide, and shrinking), Pillow 13 decides by the sizes.
enum class PassOrder : int { pillow12, pillow13 };

REFPIX_HD inline bool vertical_first(PassOrder order, std::int64_t in_height, std::int64_t in_width,
                                     std::int64_t out_height, std::int64_t out_width) noexcept {
    const std::int64_t shrinks_by = in_height - out_height;
    if (shrinks_by <= 0) {
        return false;
    }
    return order == PassOrder::pillow13 ? shrinks_by > 2 * (in_width - out_width)
                                        : in_height > 100 * in_width;
}

struct ImageResize {
    const std::uint8_t* pixels = nullptr;   // (size,), images end to end
    std::int64_t size = 0;                  // bytes in pixels
    const std::int64_t* offsets = nullptr;  // (count + 1,)
    const std::int64_t* sizes = nullptr;    // (count, 2): height, width
    std::int64_t count = 0;
    int channels = 3;  // 1 or 3
    std::int64_t out_height = 0;
    std::int64_t out_width = 0;
    ResizeFilter filter = ResizeFilter::bicubic;
    PassOrder order = PassOrder::pillow13;
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, out_height, out_width, channels)
};

namespace resize {
inline constexpr int weight_bits = 22;  // behind the point of a weight
}

namespace cpu {
Status image_resize(const ImageResize& args) noexcept;
}  // namespace cpu

namespace cuda {

// Weights of a line that are made once; those of wider windows are made at each use.
inline constexpr int kept_taps = 32;   // bicubic down to nearly an eighth
inline constexpr int plan_words = 20;  // int64, of a line

// All pointers but `fault` as above, on the device; `threads` is ignored. No lanczos: its weights
// come from the host's sine.
struct ImageResizeRun {
    ImageResize args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    void* plan = nullptr;               // (count * (out_height + out_width) * plan_words,) int64
    DeviceFault* fault = nullptr;
};
int image_resize(const ImageResizeRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
