#include "kernels/trimap_from_alpha/trimap_from_alpha.h"

#include <pybind11/stl.h>

#include <cmath>
#include <optional>

#include "bindings/alpha_maps.h"

namespace refpix::bind {

REFPIX_BINDING(trimap_from_alpha) {
    module.def(
        "trimap_from_alpha",
        [](const py::object& alpha_, std::int64_t size, std::int64_t iterations,
           std::optional<double> foreground, const py::object& out_, int num_threads) {
            TrimapFromAlpha args;
            const py::array alpha = alpha_maps(alpha_, &args.is_float);
            require(size > 0 && size <= INT16_MAX, "size: expected 1 to 32767");
            require(iterations > 0 && iterations <= INT32_MAX, "iterations: must be positive");
            args.foreground = foreground.value_or(args.is_float ? 0.5 : 127.0);
            require(std::isfinite(args.foreground) && args.foreground >= 0,
                    "foreground: must be finite and not negative");
            args.alpha = alpha.data();
            args.count = alpha.shape(0);
            args.height = alpha.shape(1);
            args.width = alpha.shape(2);
            args.size = size;
            args.iterations = iterations;
            args.threads = num_threads;
            auto out = output<std::uint8_t>(out_, {args.count, args.height, args.width});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::trimap_from_alpha(args); });
            return out;
        },
        py::arg("alpha"), py::kw_only(), py::arg("size"), py::arg("iterations"),
        py::arg("foreground"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
