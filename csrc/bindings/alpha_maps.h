// Mattes of either type: float32, or uint8 with 255 as full.
#pragma once

#include "bindings/alpha_pair.h"

namespace refpix::bind {

inline py::array alpha_maps(const py::object& object, bool* is_float) {
    py::array maps = array(object, "alpha", "f4 u1", 3);
    *is_float = type_of(maps) == "f4";
    require_pixels(maps.shape(1), maps.shape(2), "alpha");
    return maps;
}

}  // namespace refpix::bind
