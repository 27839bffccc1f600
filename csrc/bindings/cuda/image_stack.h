// Checked views of stacks of pictures, masks or mattes of one size, whatever their numbers are.
#pragma once

#include <string>
#include <vector>

#include "bindings/cuda/device_array.h"

namespace refpix::bind {

struct ImageStack {
    DeviceArray array;  // (n, H, W) or (n, H, W, C)
    std::int64_t count = 0, height = 0, width = 0, channels = 1;
    const char* dtype = "";  // torch's name

    std::int64_t pixel_bytes() const { return channels * array.item_bytes(); }
    std::int64_t item_bytes() const { return height * width * pixel_bytes(); }
    Shape shape(std::int64_t out_height, std::int64_t out_width) const {
        Shape made = array.shape;
        made[1] = out_height;
        made[2] = out_width;
        return made;
    }
};

inline ImageStack image_stack(const py::object& images, const char* types = "u1 f4 i4") {
    const bool planes = device_dimensions(images) == 3;
    ImageStack stack;
    stack.array = device_array(images, "images", types, planes ? 3 : 4);
    stack.count = stack.array.shape[0];
    stack.height = stack.array.shape[1];
    stack.width = stack.array.shape[2];
    stack.channels = planes ? 1 : stack.array.shape[3];
    stack.dtype = stack.array.type == "f4"   ? "float32"
                  : stack.array.type == "i4" ? "int32"
                                             : "uint8";
    return stack;
}

// `out` as given, of a shape and the images' type; not on their memory.
inline std::optional<DeviceArray> given_apart(const py::object& out, const DeviceArray& images,
                                              const Shape& shape) {
    auto given = given_out(out, images.type.c_str(), shape);
    if (given) {
        const auto* from = static_cast<const char*>(images.data);
        const auto* to = static_cast<const char*>(given->data);
        require(to + given->size() * given->item_bytes() <= from ||
                    from + images.size() * images.item_bytes() <= to,
                "out: must not overlap images");
    }
    return given;
}

}  // namespace refpix::bind
