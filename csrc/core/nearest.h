// Which source pixel an output pixel shows when a label map is resized without interpolation.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace refpix::nearest {

// torch, mode="nearest" with a target size: the product is rounded to float before the floor, so
// that an index can differ from the exact floor(dst * n_in / n_out).
REFPIX_HD inline float torch_scale(std::int64_t n_in, std::int64_t n_out) {
    return static_cast<float>(n_in) / static_cast<float>(n_out);
}

REFPIX_HD inline std::int64_t torch_source(std::int64_t dst, float scale, std::int64_t n_in) {
    // Truncation is floor here: nothing is negative.
    const auto source = static_cast<std::int64_t>(static_cast<float>(dst) * scale);
    return source < n_in ? source : n_in - 1;
}

// OpenCV, INTER_NEAREST: the scale is the rounded inverse of the rounded factor.
inline double opencv_scale(std::int64_t n_in, std::int64_t n_out) {
    return 1.0 / (static_cast<double>(n_out) / static_cast<double>(n_in));
}

inline std::int64_t opencv_source(std::int64_t dst, double scale, std::int64_t n_in) {
    const auto source = static_cast<std::int64_t>(static_cast<double>(dst) * scale);
    return source < n_in ? source : n_in - 1;
}

// Pillow, NEAREST: middles of output pixels, each the one before plus the scale, rounding and all.
class PillowSources {
  public:
    PillowSources(std::int64_t n_in, std::int64_t n_out)
        : scale_(static_cast<double>(n_in) / static_cast<double>(n_out)),
          middle_(scale_ * 0.5),
          n_in_(n_in) {}

    // Of the next output pixel, from the first one on.
    std::int64_t next() {
        const auto source = static_cast<std::int64_t>(middle_);
        middle_ += scale_;
        return source < n_in_ ? source : n_in_ - 1;
    }

  private:
    double scale_;
    double middle_;
    std::int64_t n_in_;
};

// scipy.ndimage.zoom, order 0, mode="constant": the first and last pixel of both sides coincide.
REFPIX_HD inline double scipy_scale(std::int64_t n_in, std::int64_t n_out) {
    return n_out > 1 ? static_cast<double>(n_in - 1) / static_cast<double>(n_out - 1) : 1.0;
}

// -1 where the rounded product passes the last pixel: scipy fills those with its constant, 0.
// That happens to the last row or column of some sizes (120 to 98, say; of no size below 3000
// when n_out is 512).
REFPIX_HD inline std::int64_t scipy_source(std::int64_t dst, double scale, std::int64_t n_in) {
#if defined(__CUDA_ARCH__)
    const double at = __dmul_rn(static_cast<double>(dst), scale);  // never fused with the addition
    const double rounded = __dadd_rn(at, 0.5);
#else
    const double at = static_cast<double>(dst) * scale;
    const double rounded = at + 0.5;
#endif
    return at > static_cast<double>(n_in - 1) ? -1 : static_cast<std::int64_t>(rounded);
}

}  // namespace refpix::nearest
