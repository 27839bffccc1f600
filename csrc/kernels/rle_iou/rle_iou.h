// Intersection over union of every detection with every ground truth, masks as run lengths.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/rle.h"
#include "kernels/rle_extent.h"

namespace refpix {

struct RleIou {
    Rles dt;
    Rles gt;
    const std::uint8_t* iscrowd = nullptr;  // (gt.count,): the union is the area of dt alone
    bool strict = true;  // sizes that differ: a fault, else -1 where boxes overlap and 0 elsewhere
    int threads = 1;
    double* out = nullptr;  // pair (d, g) at out[d * out_stride_dt + g * out_stride_gt]
    std::int64_t out_stride_dt = 0;
    std::int64_t out_stride_gt = 1;
};

namespace cpu {
// Faults number the items of dt first and go on with those of gt.
Status rle_iou(const RleIou& args) noexcept;
}  // namespace cpu

namespace cuda {

// Device pointers all; `threads` is ignored. At most 2^31 - 1 runs in dt and in gt.
struct RleIouRun {
    RleIou args;
    // Scratch: of each run, where it ends within its mask, and the foreground up to there.
    std::int64_t* dt_ends = nullptr;    // (dt.size,)
    std::int64_t* dt_areas = nullptr;   // (dt.size,)
    std::int64_t* gt_ends = nullptr;    // (gt.size,)
    std::int64_t* gt_areas = nullptr;   // (gt.size,)
    rle::Extent* extents = nullptr;     // (dt.count + gt.count,)
    std::int64_t* first_bad = nullptr;  // (7,)
    DeviceFault* fault = nullptr;
};
int rle_iou(const RleIouRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
