// What every binding needs: checked views of arrays, and faults as Python exceptions.
//
// A binding converts, checks, releases the GIL, calls. It never computes.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

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

// Runs `work`, which gives a Status, without the GIL; then raises its fault.
template <typename Work>
void without_gil(const Work& work) {
    Status status;
    {
        py::gil_scoped_release release;
        status = work();
    }
    raise_on_fault(status);
}

void require(bool condition, const std::string& message);  // ValueError

using Shape = std::vector<std::int64_t>;

Shape shape_of(const py::array& given);

// A length of -1 in `wanted` may be any.
void require_shape(const Shape& shape, const Shape& wanted, const std::string& name);

// Types of items go by NumPy's short names: "u1", "f4", "b1"; "V2" is bfloat16. Lists of them are
// separated by spaces.
bool is_among(std::string_view type, std::string_view types);
std::string dtype_names(std::string_view types);  // "uint8 or float32", as messages say it
std::string type_of(const py::array& given);

template <typename T>
constexpr const char* type_name() {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8);
    constexpr const char* floats[] = {"", "", "f2", "f4", "f8"};
    constexpr const char* ints[] = {"", "i1", "i2", "i4", "i8"};
    constexpr const char* words[] = {"", "u1", "u2", "u4", "u8"};
    constexpr int size = std::bit_width(sizeof(T));
    return std::is_same_v<T, bool>       ? "b1"
           : std::is_floating_point_v<T> ? floats[size]
           : std::is_signed_v<T>         ? ints[size]
                                         : words[size];
}

// Array arguments are taken as py::object so that a wrong type is a TypeError that names the
// argument, the wanted types and the one that came. `ndim` of -1 is any but 0.
py::array strided_array(const py::handle& object, const std::string& name, const char* types,
                        int ndim);

// The same, C-contiguous, and every number at an address that is a multiple of its size: kernels
// read it as an ordinary array, which elsewhere is undefined.
py::array array(const py::handle& object, const std::string& name, const char* types, int ndim);

template <typename T>
Array<T> array(const py::handle& object, const std::string& name, int ndim) {
    return py::reinterpret_borrow<Array<T>>(array(object, name, type_name<T>(), ndim));
}

// The same, of this shape; a length of -1 may be any.
template <typename T>
Array<T> shaped_array(const py::handle& object, const std::string& name, const Shape& shape) {
    auto given = array<T>(object, name, static_cast<int>(shape.size()));
    require_shape(shape_of(given), shape, name);
    return given;
}

// Axes of an array, 0 of anything else.
int dimensions(const py::handle& object);

// values uint8 (bytes,), spans int64 (n, 2).
Spans spans(const Array<std::uint8_t>& values, const Array<std::int64_t>& item_spans);

// `out` when given (checked: type, shape, writable), else a new array of the first type.
py::array output(const py::object& out, const std::string& types, const Shape& shape);

template <typename T>
Array<T> output(const py::object& out, const Shape& shape) {
    return py::reinterpret_steal<Array<T>>(output(out, type_name<T>(), shape).release());
}

}  // namespace refpix::bind
