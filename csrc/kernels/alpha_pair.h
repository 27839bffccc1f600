// A predicted matte beside the true one, as the matting metrics compare them.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

// Half a grey level of 255 is let through on either side: resizing overshoots by rounding.
inline constexpr float alpha_low = -1.0F / 512;
inline constexpr float alpha_high = 1 + 1.0F / 512;

inline constexpr int trimap_labels = 3;  // background, transition, foreground

struct AlphaPairs {
    const float* pred = nullptr;           // (count, height, width)
    const float* gt = nullptr;             // likewise
    const std::uint8_t* trimap = nullptr;  // likewise, 0..2, or nullptr: all 0
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
};

// The first fault of an item, in the order pred, gt, trimap: for maps that a fast check refused.
inline Status alpha_fault(const float* pred, const float* gt, const std::uint8_t* trimap,
                          std::int64_t pixels, std::int64_t item) noexcept {
    const float* const maps[] = {pred, gt};
    const Fault not_finite[] = {Fault::pred_not_finite, Fault::gt_not_finite};
    const Fault out_of_range[] = {Fault::pred_out_of_range, Fault::gt_out_of_range};
    for (int map = 0; map < 2; ++map) {
        for (std::int64_t i = 0; i < pixels; ++i) {
            const float value = maps[map][i];
            if (!(value >= alpha_low && value <= alpha_high)) {
                const bool finite = value - value == 0;
                return {finite ? out_of_range[map] : not_finite[map], item,
                        i * static_cast<std::int64_t>(sizeof(float))};
            }
        }
    }
    for (std::int64_t i = 0; trimap != nullptr && i < pixels; ++i) {
        if (trimap[i] >= trimap_labels) {
            return {Fault::trimap_out_of_range, item, i};
        }
    }
    return {};
}

}  // namespace refpix
