#include <vector>

#include "bindings/bind.h"
#include "core/isa.h"

namespace refpix::bind {
namespace {

std::vector<void (*)(py::module_&)>& bindings() {
    static std::vector<void (*)(py::module_&)> list;
    return list;
}

}  // namespace

Registrar::Registrar(void (*add)(py::module_&)) { bindings().push_back(add); }

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

Spans spans(const Array<std::uint8_t>& values, const Array<std::int64_t>& item_spans) {
    require(item_spans.shape(1) == 2, "spans: expected shape (n, 2)");
    return {values.data(), values.size(), item_spans.data(), item_spans.shape(0)};
}

PYBIND11_MODULE(_cpu, module) {
    module.doc() = "CPU kernels of refpix. Use refpix.kernels, which documents them.";
    for (auto* add : bindings()) {
        add(module);
    }
    module.def("active_isa", [] { return isa_name(active_isa()); });
    module.def("machine_isa", [] { return isa_name(machine_isa()); });
    module.def("set_isa", [](const std::string& name) {
        Isa isa;
        require(isa_from_name(name.c_str(), &isa), "unknown instruction set: " + name);
        require(set_isa(isa), "this machine has no " + name);
    });
    module.def("fault_name",
               [](std::int32_t fault) { return fault_name(static_cast<Fault>(fault)); });
}

}  // namespace refpix::bind
