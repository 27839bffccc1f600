// The arguments that the matting metrics share: two mattes and a trimap.
#pragma once

#include "bindings/bind.h"
#include "kernels/alpha_pair.h"

namespace refpix::bind {

// Keeps the arrays alive whose memory `maps` points to.
struct AlphaArrays {
    Array<float> pred;
    Array<float> gt;
    py::object trimap;  // an array, or None
    AlphaPairs maps;
};

// pred and gt float32 of `ndim` dimensions and one shape, trimap uint8 of that shape or None. All
// axes but the last two are counted together; maps must have pixels.
AlphaArrays alpha_arrays(const py::object& pred, const py::object& gt, const py::object& trimap,
                         int ndim);

// Maps must have pixels, fewer than 2^31.
void require_pixels(std::int64_t height, std::int64_t width, const char* name);

}  // namespace refpix::bind
