// What of a map is looked at, shared by cpu.cpp and cuda.cu.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/nearest.h"
#include "kernels/label_zoom/label_zoom.h"

namespace refpix::zoom {

// Source pixels along one side. They rise, so that only the last can be -1, background.
struct Sources {
    ZoomRule rule;
    std::int64_t n_in;
    float torch_scale;
    double scipy_scale;

    REFPIX_HD Sources(ZoomRule rule_, std::int64_t n_in_, std::int64_t n_out)
        : rule(rule_),
          n_in(n_in_),
          torch_scale(nearest::torch_scale(n_in_, n_out)),
          scipy_scale(nearest::scipy_scale(n_in_, n_out)) {}

    REFPIX_HD std::int64_t of(std::int64_t output) const {
        return rule == ZoomRule::torch ? nearest::torch_source(output, torch_scale, n_in)
                                       : nearest::scipy_source(output, scipy_scale, n_in);
    }
};

REFPIX_HD inline Status check_item(const LabelZoom& args, std::int64_t item) {
    constexpr std::int64_t most = INT32_MAX;
    const std::int64_t start = args.offsets[item];
    const std::int64_t stop = args.offsets[item + 1];
    const std::int64_t height = args.sizes[2 * item];
    const std::int64_t width = args.sizes[2 * item + 1];
    if (start < 0 || stop < start || stop > args.size) {
        return {Fault::span_out_of_bounds, item, -1};
    }
    if (height < 1 || width < 1 || height > most || width > most ||
        height * width != stop - start) {
        return {Fault::bad_size, item, -1};
    }
    return {};
}

}  // namespace refpix::zoom
