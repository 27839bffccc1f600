// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/alpha_connectivity/rows.h"
#include "kernels/alpha_rows.h"
#include "kernels/bit_rows.h"

namespace refpix::connectivity {
namespace {

inline bool levels_of(const Row& row, const float* thresholds,
                      std::uint8_t* __restrict out) noexcept {
    const float* pred = row.pred;
    const float* gt = row.gt;
    for (std::int64_t x = 0; x < row.width; ++x) {
        const float both = pred[x] < gt[x] ? pred[x] : gt[x];
        std::int32_t level = 0;
        for (int i = 0; i < steps; ++i) {
            level += both >= thresholds[i];
        }
        out[x] = static_cast<std::uint8_t>(level);
    }
    return (outside(pred, row.width) | outside(gt, row.width)) == 0 &&
           (row.trimap == nullptr || outside(row.trimap, row.width) == 0);
}

inline void reaching_level(const std::uint8_t* levels, std::int64_t width, int least,
                           std::uint64_t* words) noexcept {
    reaching(levels, width, static_cast<std::uint8_t>(least), words);
}

inline float part(float alpha, float level) noexcept {
    const float difference = alpha - level;
    return difference >= 0.15F ? 1 - difference : 1.0F;
}

inline void add_errors(const Row& row, const std::uint8_t* kept, float* __restrict terms,
                       double* sums) noexcept {
    const float* pred = row.pred;
    const float* gt = row.gt;
    for (std::int64_t x = 0; x < row.width; ++x) {
        const float level = static_cast<float>(kept[x]) / steps;  // float(k * 0.1), for all k
        terms[x] = __builtin_fabsf(part(pred[x], level) - part(gt[x], level));
    }
    add_row(terms, row.trimap, row.width, sums);
}

}  // namespace
}  // namespace refpix::connectivity
