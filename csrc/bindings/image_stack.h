// Checked views of stacks of pictures, masks or mattes of one size, whatever their numbers are.
#pragma once

#include <string>

#include "bindings/bind.h"

namespace refpix::bind {

struct ImageStack {
    py::array array;  // (n, H, W) or (n, H, W, C)
    std::int64_t count = 0, height = 0, width = 0, channels = 1;

    const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(array.data()); }
    std::int64_t pixel_bytes() const { return channels * array.itemsize(); }
    std::int64_t item_bytes() const { return height * width * pixel_bytes(); }
};

inline ImageStack image_stack(const py::object& images, const char* types = "u1 f4 i4") {
    ImageStack stack;
    stack.array = array(images, "images", types, dimensions(images) == 3 ? 3 : 4);
    stack.count = stack.array.shape(0);
    stack.height = stack.array.shape(1);
    stack.width = stack.array.shape(2);
    stack.channels = stack.array.ndim() == 3 ? 1 : stack.array.shape(3);
    return stack;
}

// `out`, or new, of this type and shape; not on the memory of `images`, named `name`.
inline py::array output_apart(const py::object& out, const py::array& images, const char* name,
                              const char* type, const Shape& shape) {
    py::array made = output(out, type, shape);
    const auto* from = static_cast<const char*>(images.data());
    const auto* to = static_cast<const char*>(made.data());
    require(images.nbytes() == 0 || to + made.nbytes() <= from || from + images.nbytes() <= to,
            std::string("out: must not overlap ") + name);
    return made;
}

// `images` with another height and width.
inline py::array stack_output(const py::object& out, const ImageStack& images, std::int64_t height,
                              std::int64_t width) {
    Shape shape = shape_of(images.array);
    shape[1] = height;
    shape[2] = width;
    return output_apart(out, images.array, "images", type_of(images.array).c_str(), shape);
}

}  // namespace refpix::bind
