#include "kernels/alpha_connectivity/alpha_connectivity.h"

#include "bindings/alpha_pair.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_connectivity) {
    module.def(
        "alpha_connectivity",
        [](const py::object& pred, const py::object& gt, const py::object& trimap,
           int num_threads) {
            const AlphaArrays arrays = alpha_arrays(pred, gt, trimap, 3);
            Array<double> errors({arrays.maps.count, std::int64_t{trimap_labels}});
            const AlphaConnectivity args{arrays.maps, num_threads, errors.mutable_data()};
            without_gil([&] { return cpu::alpha_connectivity(args); });
            return errors;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("trimap"), py::arg("num_threads"));
}

}  // namespace refpix::bind
