// image_resize and image_normalize in one: resized bytes go through the table instead of memory.
//
// A fused kernel: it calls the inner functions of image_resize and image_normalize.
#pragma once

#include <cstdint>

#include "kernels/image_normalize/image_normalize.h"
#include "kernels/image_resize/image_resize.h"

namespace refpix {

// What becomes of resized bytes.
struct Normalization {
    float mean[3] = {0, 0, 0};
    float std[3] = {1, 1, 1};
    NormalizeType type = NormalizeType::float32;
    bool channels_last = false;
    // (count, 3, out_height, out_width), or (count, out_height, out_width, 3); aligned to its type
    void* out = nullptr;
};

struct ImageResizeNormalize {
    ImageResize resize;  // of three channels; its `out` is not used
    Normalization normalization;
};

namespace cpu {
Status image_resize_normalize(const ImageResizeNormalize& args) noexcept;
}  // namespace cpu

namespace cuda {
// Faults are those of image_resize.
int image_resize_normalize(const ImageResizeRun& run, const Normalization& normalization,
                           DeviceStream stream) noexcept;  // a cudaError_t
}  // namespace cuda

}  // namespace refpix
