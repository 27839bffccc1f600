#include "kernels/alpha_bbox/alpha_bbox.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_bbox) {
    module.def(
        "alpha_bbox",
        [](const py::object& mattes_, int num_threads) {
            const auto mattes = array<std::uint8_t>(mattes_, "mattes", 3);
            AlphaBbox args;
            args.mattes = mattes.data();
            args.count = mattes.shape(0);
            args.height = mattes.shape(1);
            args.width = mattes.shape(2);
            args.threads = num_threads;
            Array<std::int64_t> out(std::vector<py::ssize_t>{args.count, 4});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::alpha_bbox(args); });
            return out;
        },
        py::arg("mattes"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
