#include "bindings/bind.h"

#include <algorithm>
#include <vector>

namespace refpix::bind {
namespace {

std::vector<void (*)(py::module_&)>& bindings() {
    static std::vector<void (*)(py::module_&)> list;
    return list;
}

// "(n, any, 4)": where lengths may be any.
std::string text_of(const Shape& shape) {
    std::string text = "(";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        text += (axis > 0 ? ", " : "") + (shape[axis] >= 0 ? std::to_string(shape[axis])
                                          : axis == 0      ? "n"
                                                           : "any");
    }
    return text + (shape.size() == 1 ? ",)" : ")");
}

// "u1" to "uint8".
std::string dtype_name(std::string_view type) {
    if (type == "b1") {
        return "bool";
    }
    if (type == "V2") {
        return "bfloat16";
    }
    const char* const kind = type[0] == 'u'   ? "uint"
                             : type[0] == 'i' ? "int"
                             : type[0] == 'f' ? "float"
                                              : nullptr;
    const std::string name(type);
    return kind != nullptr ? kind + std::to_string(8 * std::stoi(name.substr(1))) : name;
}

}  // namespace

Registrar::Registrar(void (*add)(py::module_&)) {
    bindings().push_back(add);
}

void add_bindings(py::module_& module) {
    for (auto* add : bindings()) {
        add(module);
    }
}

void raise_on_fault(const Status& status) {
    if (status.ok()) {
        return;
    }
    const py::object make = py::module_::import("refpix.errors").attr("from_fault");
    const py::object error = make(fault_name(status.fault), status.item, status.position);
    PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
    throw py::error_already_set();
}

void require(bool condition, const std::string& message) {
    if (!condition) {
        throw py::value_error(message);
    }
}

void require_shape(const Shape& shape, const Shape& wanted, const std::string& name) {
    bool fits = shape.size() == wanted.size();
    for (std::size_t axis = 0; fits && axis < shape.size(); ++axis) {
        fits = wanted[axis] < 0 || shape[axis] == wanted[axis];
    }
    require(fits, name + ": expected shape " + text_of(wanted) + ", got " + text_of(shape));
}

bool is_among(std::string_view type, std::string_view types) {
    for (std::size_t begin = 0; begin < types.size();) {
        const std::size_t end = std::min(types.find(' ', begin), types.size());
        if (types.substr(begin, end - begin) == type) {
            return true;
        }
        begin = end + 1;
    }
    return false;
}

std::string dtype_names(std::string_view types) {
    std::string names;
    for (std::size_t begin = 0; begin < types.size();) {
        const std::size_t end = std::min(types.find(' ', begin), types.size());
        names += (names.empty() ? "" : " or ") + dtype_name(types.substr(begin, end - begin));
        begin = end + 1;
    }
    return names;
}

std::string type_of(const py::array& given) {
    const py::dtype dtype = given.dtype();
    const bool native = dtype.byteorder() == '=' || dtype.byteorder() == '|';
    return (native ? "" : ">") + std::string(1, dtype.kind()) + std::to_string(dtype.itemsize());
}

int dimensions(const py::handle& object) {
    return py::isinstance<py::array>(object)
               ? static_cast<int>(py::reinterpret_borrow<py::array>(object).ndim())
               : 0;
}

Shape shape_of(const py::array& given) {
    return {given.shape(), given.shape() + given.ndim()};
}

py::array strided_array(const py::handle& object, const std::string& name, const char* types,
                        int ndim) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error(name + ": expected a NumPy array");
    }
    auto given = py::reinterpret_borrow<py::array>(object);
    if (!is_among(type_of(given), types)) {
        throw py::type_error(name + ": expected dtype " + dtype_names(types) + ", got " +
                             py::str(given.dtype()).cast<std::string>());
    }
    if (ndim < 0) {
        require(given.ndim() > 0, name + ": expected at least one axis");
    } else if (given.ndim() != ndim) {
        throw py::value_error(name + ": expected " + std::to_string(ndim) + " dimensions, got " +
                              std::to_string(given.ndim()));
    }
    return given;
}

py::array array(const py::handle& object, const std::string& name, const char* types, int ndim) {
    py::array given = strided_array(object, name, types, ndim);
    require(given.flags() & py::array::c_style, name + ": must be C-contiguous");
    require(given.size() == 0 || (given.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_),
            name + ": must be aligned in memory");
    return given;
}

py::array output(const py::object& out, const std::string& types, const Shape& shape) {
    if (out.is_none()) {
        return py::array(py::dtype(types.substr(0, types.find(' '))), shape);
    }
    py::array given = array(out, "out", types.c_str(), static_cast<int>(shape.size()));
    require_shape(shape_of(given), shape, "out");
    require(given.writeable(), "out: array is read-only");
    return given;
}

Spans spans(const Array<std::uint8_t>& values, const Array<std::int64_t>& item_spans) {
    require_shape(shape_of(item_spans), {-1, 2}, "spans");
    return {values.data(), values.size(), item_spans.data(), item_spans.shape(0)};
}

}  // namespace refpix::bind
