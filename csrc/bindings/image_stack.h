// Checked views of stacks of pictures, masks or mattes of one size, whatever their numbers are.
#pragma once

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "bindings/bind.h"

namespace refpix::bind {

// Calls run(T{}) for the type of the array's items: uint8, float32 or int32.
template <typename Run>
py::object with_item_type(const py::object& images, const Run& run) {
    if (!py::isinstance<py::array>(images)) {
        throw py::type_error("images: expected a NumPy array");
    }
    const auto type = py::reinterpret_borrow<py::array>(images).dtype();
    if (type.equal(py::dtype::of<std::uint8_t>())) {
        return run(std::uint8_t{});
    }
    if (type.equal(py::dtype::of<float>())) {
        return run(float{});
    }
    if (type.equal(py::dtype::of<std::int32_t>())) {
        return run(std::int32_t{});
    }
    throw py::type_error("images: expected uint8, float32 or int32, got " +
                         py::str(type).cast<std::string>());
}

// (n, H, W) or (n, H, W, C).
template <typename T>
Array<T> image_stack(const py::object& images) {
    return array<T>(images, "images",
                    py::reinterpret_borrow<py::array>(images).ndim() == 3 ? 3 : 4);
}

// The same, bytes.
inline Array<std::uint8_t> byte_images(const py::object& images) {
    const bool planes =
        py::isinstance<py::array>(images) && py::reinterpret_borrow<py::array>(images).ndim() == 3;
    return array<std::uint8_t>(images, "images", planes ? 3 : 4);
}

// float32 or float64; of anything else it says that float64 was expected.
inline py::array floats(const py::object& values, const char* name, int ndim) {
    const bool single =
        py::isinstance<py::array>(values) &&
        py::reinterpret_borrow<py::array>(values).dtype().equal(py::dtype::of<float>());
    return single ? py::array(array<float>(values, name, ndim))
                  : py::array(array<double>(values, name, ndim));
}

// Numbers in one picture.
inline std::int64_t item_size(const py::array& images) {
    std::int64_t size = 1;
    for (py::ssize_t axis = 1; axis < images.ndim(); ++axis) {
        size *= images.shape(axis);
    }
    return size;
}

inline std::int64_t channels_of(const py::array& images) {
    return images.ndim() == 4 ? images.shape(3) : 1;
}

template <typename T>
void require_apart(const Array<T>& out, const Array<T>& images) {
    require(out.data() + out.size() <= images.data() || images.data() + images.size() <= out.data(),
            "out: must not overlap images");
}

// (n, H, W, 3), bytes.
inline Array<std::uint8_t> rgb_images(const py::object& images) {
    auto checked = array<std::uint8_t>(images, "images", 4);
    require(checked.shape(3) == 3, "images: expected shape (n, H, W, 3)");
    return checked;
}

// `images` with another height and width; not on the same memory.
template <typename T>
Array<T> stack_output(const py::object& out, const Array<T>& images, std::int64_t height,
                      std::int64_t width) {
    std::vector<py::ssize_t> shape(images.shape(), images.shape() + images.ndim());
    shape[1] = height;
    shape[2] = width;
    Array<T> made = output<T>(out, shape);
    require_apart(made, images);
    return made;
}

}  // namespace refpix::bind
