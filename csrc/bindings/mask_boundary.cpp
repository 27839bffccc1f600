#include "kernels/mask_boundary/mask_boundary.h"

#include <cmath>

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(mask_boundary) {
    module.def(
        "mask_boundary",
        [](const py::object& masks_, const py::object& distance, double ratio,
           const py::object& out_, int num_threads) {
            const py::array masks = array(masks_, "masks", "u1 b1", 3);
            MaskBoundary args;
            args.masks = static_cast<const std::uint8_t*>(masks.data());
            args.count = masks.shape(0);
            args.height = masks.shape(1);
            args.width = masks.shape(2);
            if (!distance.is_none()) {
                args.distance = distance.cast<std::int64_t>();
                require(args.distance >= 0, "distance: must not be negative");
            }
            require(std::isfinite(ratio) && ratio >= 0, "ratio: must be finite and not negative");
            args.ratio = ratio;
            args.threads = num_threads;
            auto out = output<std::uint8_t>(out_, {args.count, args.height, args.width});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::mask_boundary(args); });
            return out;
        },
        py::arg("masks"), py::kw_only(), py::arg("distance"), py::arg("ratio"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
