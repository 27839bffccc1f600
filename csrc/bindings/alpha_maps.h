// Mattes of either type: float32, or uint8 with 255 as full.
#pragma once

#include "bindings/alpha_pair.h"

namespace refpix::bind {

inline py::array alpha_maps(const py::object& object, bool* is_float) {
    *is_float =
        !py::isinstance<py::array>(object) ||
        !py::reinterpret_borrow<py::array>(object).dtype().equal(py::dtype::of<std::uint8_t>());
    py::array maps = *is_float ? py::array(array<float>(object, "alpha", 3))
                               : py::array(array<std::uint8_t>(object, "alpha", 3));
    require_pixels(maps.shape(1), maps.shape(2), "alpha");
    return maps;
}

}  // namespace refpix::bind
