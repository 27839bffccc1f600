// Names of options that several image kernels take.
#pragma once

#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bindings/bind.h"
#include "kernels/image_normalize/image_normalize.h"
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

inline void set_resize_options(ImageResize& args, std::pair<std::int64_t, std::int64_t> out_size,
                               int channels, const std::string& filter, const std::string& order) {
    require(channels == 1 || channels == 3, "channels: expected 1 or 3");
    require(out_size.first > 0 && out_size.second > 0 && out_size.first <= (1 << 26) &&
                out_size.second <= (1 << 26),
            "out_size: height and width must be positive");
    args.channels = channels;
    args.out_height = out_size.first;
    args.out_width = out_size.second;
    args.filter = resize_filter(filter);
    args.order = pass_order(order);
}

inline NormalizeType normalize_type(const std::string& name) {
    if (name == "float32") {
        return NormalizeType::float32;
    }
    if (name == "float16") {
        return NormalizeType::float16;
    }
    require(name == "bfloat16", "dtype: expected float32, float16 or bfloat16, got " + name);
    return NormalizeType::bfloat16;
}

// Three numbers, as float32.
inline void channel_values(const py::object& given, const char* name, float values[3]) {
    const auto sequence = py::cast<std::vector<float>>(given);
    require(sequence.size() == 3, std::string(name) + ": expected three numbers");
    std::copy(sequence.begin(), sequence.end(), values);
}

// Of a batch of pictures, as planes or not.
inline Shape normalized_shape(std::int64_t count, std::int64_t height, std::int64_t width,
                              bool channels_last) {
    return channels_last ? Shape{count, height, width, 3} : Shape{count, 3, height, width};
}

// bfloat16 has no NumPy type: its bits come as uint16.
inline py::array normalized_output(const py::object& out, NormalizeType type, const Shape& shape) {
    const char* name = type == NormalizeType::float32   ? "f4"
                       : type == NormalizeType::float16 ? "f2"
                                                        : "u2";
    return output(out, name, shape);
}

}  // namespace refpix::bind
