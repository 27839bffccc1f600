// Intersection over union of every detection with every ground truth, masks as run lengths.
#pragma once

#include <cstdint>

#include "core/rle.h"

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

}  // namespace refpix
