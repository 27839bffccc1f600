// Functions called for a microsecond's work, by CPython's own convention: positional arguments in
// an array. pybind11's dispatcher takes half a microsecond, as long as reading a small mask.
#pragma once

#include <new>
#include <string>

#include "bindings/bind.h"

namespace refpix::bind {

using FastArguments = PyObject* const*;

template <py::object (*function)(FastArguments), int count>
PyObject* fast_call(PyObject*, PyObject* const* arguments, Py_ssize_t given) noexcept {
    try {
        if (given != count) {
            throw py::type_error("expected " + std::to_string(count) + " arguments, got " +
                                 std::to_string(given));
        }
        return function(arguments).release().ptr();
    } catch (py::error_already_set& error) {
        error.restore();
    } catch (const py::builtin_exception& error) {
        error.set_error();
    } catch (const std::bad_alloc&) {
        PyErr_NoMemory();
    } catch (const std::exception& error) {
        PyErr_SetString(PyExc_RuntimeError, error.what());
    }
    return nullptr;
}

// One line of a module's table. `text` is "name(a, b, /)\n--\n\nWhat it does.".
template <py::object (*function)(FastArguments), int count>
constexpr PyMethodDef fast_method(const char* name, const char* text) {
    return {name,
            reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(fast_call<function, count>)),
            METH_FASTCALL, text};
}

inline long long integer_argument(PyObject* object) {
    const long long value = PyLong_AsLongLong(object);
    if (value == -1 && PyErr_Occurred()) {
        throw py::error_already_set();
    }
    return value;
}

}  // namespace refpix::bind
