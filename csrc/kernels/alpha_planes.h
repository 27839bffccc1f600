// Stacks of floating-point mattes: what the kernels on them share.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix::alpha {

enum class PlaneType : int { float32, float64 };

struct Box {
    std::int64_t x0, y0, x1, y1;  // half open

    REFPIX_HD bool empty() const { return x0 >= x1 || y0 >= y1; }
};

// The part of a w x h rectangle at (x, y) that lies on a width x height plane.
REFPIX_HD inline Box clip(std::int64_t x, std::int64_t y, std::int64_t w, std::int64_t h,
                          std::int64_t width, std::int64_t height) {
    if (x >= width || y >= height || x <= -w || y <= -h) {
        return {0, 0, 0, 0};
    }
    return {x > 0 ? x : 0, y > 0 ? y : 0, width - x < w ? width : x + w,
            height - y < h ? height : y + h};
}

// One of (count, 4) boxes as x, y, w, h: whether it lies within the plane.
REFPIX_HD inline Status check_box(const std::int64_t* boxes, std::int64_t item, std::int64_t height,
                                  std::int64_t width) {
    const std::int64_t* box = boxes + 4 * item;
    if (box[0] < 0 || box[1] < 0 || box[2] < 0 || box[3] < 0 || box[0] > width || box[1] > height ||
        box[2] > width - box[0] || box[3] > height - box[1]) {
        return {Fault::alpha_bad_box, item, -1};
    }
    return {};
}

// All of them, or none where `boxes` is null; names the first that does not.
inline Status check_boxes(const std::int64_t* boxes, std::int64_t count, std::int64_t height,
                          std::int64_t width) noexcept {
    Status status;
    for (std::int64_t item = 0; boxes != nullptr && item < count && status.ok(); ++item) {
        status = check_box(boxes, item, height, width);
    }
    return status;
}

REFPIX_HD inline Box box_of(const std::int64_t* boxes, std::int64_t item, std::int64_t height,
                            std::int64_t width) {
    if (boxes == nullptr) {
        return {0, 0, width, height};
    }
    const std::int64_t* box = boxes + 4 * item;
    return {box[0], box[1], box[0] + box[2], box[1] + box[3]};
}

}  // namespace refpix::alpha
