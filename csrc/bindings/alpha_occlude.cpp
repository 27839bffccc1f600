#include "kernels/alpha_occlude/alpha_occlude.h"

#include "bindings/alpha_planes.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_occlude) {
    module.def(
        "alpha_occlude",
        [](const py::object& stack_, const py::object& front_, std::int64_t index,
           std::pair<std::int64_t, std::int64_t> position, const py::object& boxes_, bool write,
           int num_threads) {
            py::array stack = array(stack_, "stack", "f4 f8", 3);
            const auto front = array<std::uint8_t>(front_, "front", 2);
            AlphaOcclude args;
            args.type = plane_type(type_of(stack));
            args.planes = stack.shape(0);
            args.height = stack.shape(1);
            args.width = stack.shape(2);
            require(index >= 0 && index < args.planes, "index: no such plane");
            require(!write || stack.writeable(), "stack: array is read-only");
            args.stack = const_cast<void*>(stack.data());
            args.front = front.data();
            args.front_height = front.shape(0);
            args.front_width = front.shape(1);
            args.x = position.first;
            args.y = position.second;
            args.index = index;
            const auto boxes = plane_boxes(boxes_, args.planes);
            args.boxes = boxes_.is_none() ? nullptr : boxes.data();
            args.write = write;
            args.threads = num_threads;
            Array<double> areas(std::vector<py::ssize_t>{index + 1, 2});
            args.areas = areas.mutable_data();
            without_gil([&] { return cpu::alpha_occlude(args); });
            return areas;
        },
        py::arg("stack"), py::arg("front"), py::kw_only(), py::arg("index"), py::arg("position"),
        py::arg("boxes"), py::arg("write"), py::arg("num_threads"));
}

}  // namespace refpix::bind
