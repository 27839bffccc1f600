#include "bindings/bind.h"
#include "core/isa.h"

namespace refpix::bind {

PYBIND11_MODULE(_cpu, module) {
    module.doc() = "CPU kernels of refpix. Use refpix.kernels, which documents them.";
    add_bindings(module);
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
