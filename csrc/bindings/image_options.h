// Names of options that several image kernels take.
#pragma once

#include <string>

#include "bindings/bind.h"
#include "kernels/image_resize/image_resize.h"

namespace refpix::bind {

inline ResizeFilter resize_filter(const std::string& name) {
    if (name == "bicubic") {
        return ResizeFilter::bicubic;
    }
    if (name == "bilinear") {
        return ResizeFilter::bilinear;
    }
    if (name == "box") {
        return ResizeFilter::box;
    }
    require(name == "lanczos", "filter: expected bicubic, bilinear, box or lanczos, got " + name);
    return ResizeFilter::lanczos;
}

// "auto" is what the installed Pillow does.
inline PassOrder pass_order(const std::string& name) {
    if (name == "auto") {
        const auto resolve = py::module_::import("refpix.kernels._image_resize").attr("pass_order");
        return pass_order(resolve(name).cast<std::string>());
    }
    if (name == "pillow12") {
        return PassOrder::pillow12;
    }
    require(name == "pillow13", "order: expected pillow13, pillow12 or auto, got " + name);
    return PassOrder::pillow13;
}

}  // namespace refpix::bind
