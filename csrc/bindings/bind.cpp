#include "bindings/bind.h"

#include <vector>

namespace refpix::bind {
namespace {

std::vector<void (*)(py::module_&)>& bindings() {
    static std::vector<void (*)(py::module_&)> list;
    return list;
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

void require_plain(const py::array& given, const std::string& name) {
    require(given.flags() & py::array::c_style, name + ": must be C-contiguous");
    require(given.size() == 0 || (given.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_),
            name + ": must be aligned in memory");
}

Spans spans(const Array<std::uint8_t>& values, const Array<std::int64_t>& item_spans) {
    require(item_spans.shape(1) == 2, "spans: expected shape (n, 2)");
    return {values.data(), values.size(), item_spans.data(), item_spans.shape(0)};
}

}  // namespace refpix::bind
