#include "kernels/alpha_errors/alpha_errors.h"

#include "bindings/alpha_pair.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_errors) {
    module.def(
        "alpha_errors",
        [](const py::object& pred, const py::object& gt, const py::object& trimap,
           int num_threads) {
            const AlphaArrays arrays = alpha_arrays(pred, gt, trimap, 3);
            const std::vector<py::ssize_t> shape{arrays.maps.count, trimap_labels};
            Array<std::int64_t> areas(shape);
            Array<double> absolute(shape);
            Array<double> squared(shape);
            const AlphaErrors args{arrays.maps, num_threads, areas.mutable_data(),
                                   absolute.mutable_data(), squared.mutable_data()};
            without_gil([&] { return cpu::alpha_errors(args); });
            return std::make_tuple(areas, absolute, squared);
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("trimap"), py::arg("num_threads"));
}

}  // namespace refpix::bind
