#include "kernels/largest_component/largest_component.h"

#include <cmath>

#include "bindings/alpha_maps.h"

namespace refpix::bind {
namespace {

// `out` when given, else a new array like alpha; never alpha itself.
template <typename T>
py::array result(const py::object& out, const py::array& alpha) {
    py::array made = output<T>(out, {alpha.shape(0), alpha.shape(1), alpha.shape(2)});
    const auto* from = static_cast<const char*>(alpha.data());
    const auto* to = static_cast<const char*>(made.data());
    require(alpha.nbytes() == 0 || to + made.nbytes() <= from || from + alpha.nbytes() <= to,
            "out: must not overlap alpha");
    return made;
}

}  // namespace

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
                args.is_float ? result<float>(out_, alpha) : result<std::uint8_t>(out_, alpha);
            args.alpha = alpha.data();
            args.count = alpha.shape(0);
            args.height = alpha.shape(1);
            args.width = alpha.shape(2);
            args.threshold = threshold;
            args.diagonal = connectivity == 8;
            args.threads = num_threads;
            args.out = out.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::largest_component(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("alpha"), py::kw_only(), py::arg("threshold"), py::arg("connectivity"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
