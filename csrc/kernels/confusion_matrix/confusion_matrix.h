// Pixels counted by ground truth (row) and prediction (column).
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ConfusionMatrix {
    const void* pred = nullptr;  // (pixels,), uint8 or int32
    const void* gt = nullptr;    // (pixels,), uint8 or int32
    bool pred_is_byte = false;
    bool gt_is_byte = false;
    std::int64_t pixels = 0;
    std::int64_t item_pixels = 1;  // pixels of one item of the batch, to name it in faults
    std::int64_t num_labels = 0;
    std::int64_t ignore = -1;
    int threads = 1;
    std::int64_t* out = nullptr;  // (num_labels, num_labels)
};

namespace cpu {
Status confusion_matrix(const ConfusionMatrix& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` on the device; `threads` is ignored.
struct ConfusionMatrixRun {
    ConfusionMatrix args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
int confusion_matrix(const ConfusionMatrixRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
