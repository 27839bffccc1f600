#include "kernels/largest_component/largest_component.h"

#include <cmath>

#include "bindings/alpha_maps.h"
#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(largest_component) {
    module.def(
        "largest_component",
        [](const py::object& alpha_, float threshold, int connectivity, const py::object& out_,
           int num_threads) {
            LargestComponent args;
            const py::array alpha = alpha_maps(alpha_, &args.is_float);
            require(std::isfinite(threshold), "threshold: must be finite");
            require(connectivity == 4 || connectivity == 8,
                    "connectivity: expected 4 or 8, got " + std::to_string(connectivity));
            py::array out =
                output_apart(out_, alpha, "alpha", args.is_float ? "f4" : "u1", shape_of(alpha));
            args.alpha = alpha.data();
            args.count = alpha.shape(0);
            args.height = alpha.shape(1);
            args.width = alpha.shape(2);
            args.threshold = threshold;
            args.diagonal = connectivity == 8;
            args.threads = num_threads;
            args.out = out.mutable_data();
            without_gil([&] { return cpu::largest_component(args); });
            return out;
        },
        py::arg("alpha"), py::kw_only(), py::arg("threshold"), py::arg("connectivity"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
