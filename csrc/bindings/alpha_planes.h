// Checked views of stacks of mattes.
#pragma once

#include <string_view>

#include "bindings/bind.h"
#include "kernels/alpha_planes.h"

namespace refpix::bind {

inline alpha::PlaneType plane_type(std::string_view type) {
    return type == "f8" ? alpha::PlaneType::float64 : alpha::PlaneType::float32;
}

// (n, 4), or None, which gives an empty array.
inline Array<std::int64_t> plane_boxes(const py::object& boxes, std::int64_t count) {
    return boxes.is_none() ? Array<std::int64_t>()
                           : shaped_array<std::int64_t>(boxes, "boxes", {count, 4});
}

}  // namespace refpix::bind
