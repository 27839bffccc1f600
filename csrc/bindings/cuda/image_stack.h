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
    std::vector<std::int64_t> shape(std::int64_t out_height, std::int64_t out_width) const {
        std::vector<std::int64_t> made = array.shape;
        made[1] = out_height;
        made[2] = out_width;
        return made;
    }
};

// (n, H, W, 3), bytes.
inline DeviceArray rgb_images(const py::object& images) {
    DeviceArray array = device_array(images, "images", "u1", 4);
    require(array.shape[3] == 3, "images: expected shape (n, H, W, 3)");
    return array;
}

// Of an array; 0 when it is none.
inline std::size_t dimensions(const py::object& array) {
    const char* protocol = "__cuda_array_interface__";
    return py::hasattr(array, protocol) ? py::len(array.attr(protocol)["shape"]) : 0;
}

inline ImageStack image_stack(const py::object& images, const char* types = "u1 f4 i4") {
    const bool planes = dimensions(images) == 3;
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
                                              const std::vector<std::int64_t>& shape) {
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
