// Overlap of every detection's box with every ground truth's.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct BboxIou {
    const double* dt = nullptr;  // (dt_count, 4): x, y, width, height
    std::int64_t dt_count = 0;
    const double* gt = nullptr;  // (gt_count, 4)
    std::int64_t gt_count = 0;
    const std::uint8_t* iscrowd = nullptr;  // (gt_count,)
    int threads = 1;
    double* out = nullptr;       // out[d * dt_stride + g * gt_stride]
    std::int64_t dt_stride = 0;  // in doubles
    std::int64_t gt_stride = 0;
};

namespace cpu {
Status bbox_iou(const BboxIou& args) noexcept;
}  // namespace cpu

}  // namespace refpix
