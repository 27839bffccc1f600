// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/alpha_rows.h"
#include "kernels/alpha_temporal/change.h"

namespace refpix {
namespace {

inline bool sum_change(const AlphaChange& change) noexcept {
    const std::int64_t n = change.width;
    float* __restrict terms = change.terms;
    for (std::int64_t y = 0; y < change.height; ++y) {
        const float* pred_0 = change.pred[0] + y * n;
        const float* pred_1 = change.pred[1] + y * n;
        const float* gt_0 = change.gt[0] + y * n;
        const float* gt_1 = change.gt[1] + y * n;
        const std::uint8_t* trimap = change.trimap == nullptr ? nullptr : change.trimap + y * n;
        if ((outside(pred_0, n) | outside(pred_1, n) | outside(gt_0, n) | outside(gt_1, n)) != 0) {
            return false;
        }
        for (std::int64_t x = 0; x < n; ++x) {
            const float difference = (pred_1[x] - pred_0[x]) - (gt_1[x] - gt_0[x]);
            terms[x] = difference * difference;
        }
        if (trimap == nullptr) {
            change.areas[0] += n;
        } else {
            if (outside(trimap, n) != 0) {
                return false;
            }
            count_labels(trimap, n, change.areas);
        }
        add_row(terms, trimap, n, change.squared);
    }
    return true;
}

}  // namespace
}  // namespace refpix
