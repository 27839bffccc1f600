// What every binding needs: checked views of arrays, and faults as Python exceptions.
//
// A binding converts, checks, releases the GIL, calls. It never computes.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "core/spans.h"
#include "core/status.h"

namespace refpix::bind {

namespace py = pybind11;

// Dense C-order arrays of exactly this type. Never cast: a silent copy would break `out=`.
template <typename T>
using Array = py::array_t<T, py::array::c_style>;

// Bindings register themselves, so that a new kernel touches no list.
struct Registrar {
    explicit Registrar(void (*add)(py::module_&));
};
#define REFPIX_BINDING(name)                                              \
    static void bind_##name(pybind11::module_& module);                   \
    static const ::refpix::bind::Registrar registrar_##name(bind_##name); \
    static void bind_##name(pybind11::module_& module)

void add_bindings(py::module_& module);

// Throws the class that refpix.errors gives to the fault. Needs the GIL.
void raise_on_fault(const Status& status);

void require(bool condition, const std::string& message);  // ValueError

// C-contiguous, and every number at an address that is a multiple of its size: kernels read it as
// an ordinary array, which elsewhere is undefined.
void require_plain(const py::array& given, const std::string& name);

// Array arguments are taken as py::object so that a wrong type is a TypeError that names the
// argument, the wanted type and the one that came.
template <typename T>
Array<T> array(const py::handle& object, const char* name, int ndim) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error(std::string(name) + ": expected a NumPy array");
    }
    const auto any = py::reinterpret_borrow<py::array>(object);
    if (!any.dtype().equal(py::dtype::of<T>())) {
        throw py::type_error(std::string(name) + ": expected dtype " +
                             py::str(py::dtype::of<T>()).cast<std::string>() + ", got " +
                             py::str(any.dtype()).cast<std::string>());
    }
    require(any.ndim() == ndim, std::string(name) + ": expected " + std::to_string(ndim) +
                                    " dimensions, got " + std::to_string(any.ndim()));
    require_plain(any, name);
    return py::reinterpret_borrow<Array<T>>(object);
}

// values uint8 (bytes,), spans int64 (n, 2).
Spans spans(const Array<std::uint8_t>& values, const Array<std::int64_t>& item_spans);

// `out` when given (checked: type, shape, writable), else a new array.
template <typename T>
Array<T> output(const py::object& out, const std::vector<py::ssize_t>& shape) {
    if (out.is_none()) {
        return Array<T>(shape);
    }
    Array<T> given = array<T>(out, "out", static_cast<int>(shape.size()));
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        require(given.shape(static_cast<py::ssize_t>(axis)) == shape[axis],
                "out: wrong size along axis " + std::to_string(axis) + ": expected " +
                    std::to_string(shape[axis]) + ", got " +
                    std::to_string(given.shape(static_cast<py::ssize_t>(axis))));
    }
    require(given.writeable(), "out: array is read-only");
    return given;
}

}  // namespace refpix::bind
