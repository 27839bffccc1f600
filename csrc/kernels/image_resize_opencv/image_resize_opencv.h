// 8-bit pictures to another size as OpenCV's bilinear resize: two taps each way.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct ImageResizeOpencv {
    const std::uint8_t* images = nullptr;  // (count, height, width, channels)
    std::int64_t count = 0, height = 0, width = 0, channels = 1;
    std::int64_t out_height = 0, out_width = 0;  // all sizes are at least 1
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, out_height, out_width, channels)
};

namespace cpu {
Status image_resize_opencv(const ImageResizeOpencv& args) noexcept;
}  // namespace cpu

}  // namespace refpix
