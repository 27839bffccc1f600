// Checked views of stacks of mattes.
#pragma once

#include <string>

#include "bindings/bind.h"
#include "kernels/alpha_planes.h"

namespace refpix::bind {

// float32 or float64, (n, H, W), C-contiguous.
inline alpha::PlaneType plane_type(const py::object& planes, const char* name) {
    if (py::isinstance<py::array>(planes) &&
        py::reinterpret_borrow<py::array>(planes).dtype().equal(py::dtype::of<double>())) {
        return alpha::PlaneType::float64;
    }
    array<float>(planes, name, 3);  // anything else: says what was expected
    return alpha::PlaneType::float32;
}

inline py::array plane_array(const py::object& planes, const char* name) {
    return plane_type(planes, name) == alpha::PlaneType::float64
               ? py::array(array<double>(planes, name, 3))
               : py::array(array<float>(planes, name, 3));
}

// (n, 4), or None, which gives an empty array.
inline Array<std::int64_t> plane_boxes(const py::object& boxes, std::int64_t count) {
    if (boxes.is_none()) {
        return Array<std::int64_t>();
    }
    auto checked = array<std::int64_t>(boxes, "boxes", 2);
    require(checked.shape(0) == count && checked.shape(1) == 4, "boxes: expected shape (n, 4)");
    return checked;
}

}  // namespace refpix::bind
