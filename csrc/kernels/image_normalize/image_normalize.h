// uint8 HWC pictures to normalised CHW planes, or HWC again.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

enum class NormalizeType : int { float32 = 0, float16 = 1, bfloat16 = 2 };

// Sizes and strides are the caller's to check: every byte named by them must be there.
struct ImageNormalize {
    const std::uint8_t* images = nullptr;  // (count, height, width, 3), pixels of a row packed
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t image_stride_bytes = 0;
    std::int64_t row_stride_bytes = 0;
    float mean[3] = {0, 0, 0};
    float std[3] = {1, 1, 1};
    NormalizeType type = NormalizeType::float32;
    bool channels_last = false;
    // (count, 3, height, width), or (count, height, width, 3); dense, aligned to its type
    void* out = nullptr;
    int threads = 1;
};

namespace cpu {
Status image_normalize(const ImageNormalize& args) noexcept;
}  // namespace cpu

namespace cuda {
// Device pointers. Only launches: nothing is copied, allocated or waited for. Returns the number
// of a CUDA error, 0 when there is none.
int image_normalize(const ImageNormalize& args, DeviceStream stream) noexcept;
}  // namespace cuda

}  // namespace refpix
