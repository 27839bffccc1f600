#include "kernels/alpha_occlude/alpha_occlude.h"

#include "bindings/alpha_planes.h"
#include "bindings/cuda/device_array.h"

namespace refpix::bind {
namespace {

constexpr std::int64_t most_planes = 1 << 30;  // a block of a launch for each

}  // namespace

REFPIX_BINDING(alpha_occlude) {
    module.def(
        "alpha_occlude",
        [](const py::object& stack_, const py::object& front_, std::int64_t index,
           std::pair<std::int64_t, std::int64_t> position, const py::object& boxes_, bool write,
           int /*num_threads*/) {
            const DeviceArray stack = device_array(stack_, "stack", "f4 f8", 3);
            const DeviceArray front = device_array(front_, "front", "u1", 2);
            cuda::AlphaOccludeRun run;
            AlphaOcclude& args = run.args;
            args.type = plane_type(stack.type);
            args.planes = stack.shape[0];
            args.height = stack.shape[1];
            args.width = stack.shape[2];
            require(index >= 0 && index < args.planes, "index: no such plane");
            require(index < most_planes, "index: too many planes");
            require(stack.packed(), "stack: must be C-contiguous");
            require(!write || !stack.read_only, "stack: array is read-only");
            args.stack = stack.data;
            args.front = packed<std::uint8_t>(front, "front");
            args.front_height = front.shape[0];
            args.front_width = front.shape[1];
            args.x = position.first;
            args.y = position.second;
            args.index = index;
            DeviceArray boxes;
            if (!boxes_.is_none()) {
                boxes = shaped_device_array(boxes_, "boxes", "i8", {args.planes, 4});
                args.boxes = packed<std::int64_t>(boxes, "boxes");
            }
            args.write = write;
            const DeviceCall call({&stack, &front, &boxes});
            const DeviceArray areas = call.allocate({index + 1, 2}, "float64");
            const DeviceArray segments =
                call.allocate({2 * cuda::segment_sums_of(args)}, "float64");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.areas = static_cast<double*>(areas.data);
            run.segments = static_cast<double*>(segments.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::alpha_occlude, run);
            return areas.owner;
        },
        py::arg("stack"), py::arg("front"), py::kw_only(), py::arg("index"), py::arg("position"),
        py::arg("boxes"), py::arg("write"), py::arg("num_threads"));
}

}  // namespace refpix::bind
