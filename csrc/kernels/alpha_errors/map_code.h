// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/alpha_errors/map.h"
#include "kernels/alpha_rows.h"

namespace refpix {
namespace {

inline bool errors_of_map(const AlphaErrorsMap& map) noexcept {
    const std::int64_t n = map.width;
    float* __restrict absolute = map.terms;
    float* __restrict squared = map.terms + n;
    for (std::int64_t y = 0; y < map.height; ++y) {
        const float* pred = map.pred + y * n;
        const float* gt = map.gt + y * n;
        const std::uint8_t* trimap = map.trimap == nullptr ? nullptr : map.trimap + y * n;
        if ((outside(pred, n) | outside(gt, n)) != 0) {
            return false;
        }
        for (std::int64_t x = 0; x < n; ++x) {
            const float difference = pred[x] - gt[x];
            absolute[x] = __builtin_fabsf(difference);
            squared[x] = difference * difference;
        }
        if (trimap == nullptr) {
            map.areas[0] += n;
        } else {
            if (outside(trimap, n) != 0) {
                return false;
            }
            count_labels(trimap, n, map.areas);
        }
        add_row(absolute, trimap, n, map.absolute);
        add_row(squared, trimap, n, map.squared);
    }
    return true;
}

}  // namespace
}  // namespace refpix
