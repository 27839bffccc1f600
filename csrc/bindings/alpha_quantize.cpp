#include "kernels/alpha_quantize/alpha_quantize.h"

#include "bindings/alpha_planes.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_quantize) {
    module.def(
        "alpha_quantize",
        [](const py::object& planes_, const py::object& boxes_, const py::object& out_,
           int num_threads) {
            const py::array planes = array(planes_, "planes", "f4 f8", 3);
            AlphaQuantize args;
            args.type = plane_type(type_of(planes));
            args.planes = planes.data();
            args.count = planes.shape(0);
            args.height = planes.shape(1);
            args.width = planes.shape(2);
            const auto boxes = plane_boxes(boxes_, args.count);
            args.boxes = boxes_.is_none() ? nullptr : boxes.data();
            args.threads = num_threads;
            auto out = output<std::uint8_t>(out_, {args.count, args.height, args.width});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::alpha_quantize(args); });
            return out;
        },
        py::arg("planes"), py::kw_only(), py::arg("boxes"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
