#include "kernels/alpha_gradient/alpha_gradient.h"

#include "bindings/alpha_pair.h"

namespace refpix::bind {
namespace {

AlphaNormalize normalize_rule(const std::string& name) {
    require(name == "none" || name == "map" || name == "batch",
            "normalize: expected 'none', 'map' or 'batch', got " + name);
    return name == "none"  ? AlphaNormalize::none
           : name == "map" ? AlphaNormalize::map
                           : AlphaNormalize::batch;
}

AlphaPadding padding_rule(const std::string& name) {
    require(name == "zero" || name == "edge", "padding: expected 'zero' or 'edge', got " + name);
    return name == "zero" ? AlphaPadding::zero : AlphaPadding::edge;
}

}  // namespace

REFPIX_BINDING(alpha_gradient) {
    module.def(
        "alpha_gradient",
        [](const py::object& pred, const py::object& gt, const py::object& trimap,
           const std::string& normalize, const std::string& padding, int num_threads) {
            const AlphaArrays arrays = alpha_arrays(pred, gt, trimap, 3);
            Array<double> squared({arrays.maps.count, std::int64_t{trimap_labels}});
            const AlphaGradient args{arrays.maps, normalize_rule(normalize), padding_rule(padding),
                                     num_threads, squared.mutable_data()};
            without_gil([&] { return cpu::alpha_gradient(args); });
            return squared;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("trimap"), py::arg("normalize"),
        py::arg("padding"), py::arg("num_threads"));
}

}  // namespace refpix::bind
