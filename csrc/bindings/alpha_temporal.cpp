#include "kernels/alpha_temporal/alpha_temporal.h"

#include "bindings/alpha_pair.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_temporal) {
    module.def(
        "alpha_temporal",
        [](const py::object& pred, const py::object& gt, const py::object& trimap,
           int num_threads) {
            const AlphaArrays arrays = alpha_arrays(pred, gt, trimap, 4);
            AlphaTemporal args;
            args.maps = arrays.maps;
            args.frames = arrays.pred.shape(0);
            args.instances = arrays.pred.shape(1);
            require(args.frames > 0, "pred: there is no frame");
            args.threads = num_threads;
            const std::vector<py::ssize_t> shape{args.frames - 1, args.instances, trimap_labels};
            Array<std::int64_t> areas(shape);
            Array<double> squared(shape);
            args.areas = areas.mutable_data();
            args.squared = squared.mutable_data();
            without_gil([&] { return cpu::alpha_temporal(args); });
            return std::make_tuple(areas, squared);
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("trimap"), py::arg("num_threads"));
}

}  // namespace refpix::bind
