#include "kernels/mask_boundary/mask_boundary.h"

#include <cmath>

#include "bindings/bind.h"

namespace refpix::bind {
namespace {

py::array dense_masks(const py::object& object) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error("masks: expected a NumPy array");
    }
    const auto given = py::reinterpret_borrow<py::array>(object);
    const py::dtype dtype = given.dtype();
    if (!dtype.equal(py::dtype::of<std::uint8_t>()) && !dtype.equal(py::dtype::of<bool>())) {
        throw py::type_error("masks: expected dtype uint8 or bool, got " +
                             py::str(dtype).cast<std::string>());
    }
    require(given.ndim() == 3, "masks: expected shape (n, H, W)");
    require(given.flags() & py::array::c_style, "masks: must be C-contiguous");
    return given;
}

}  // namespace

REFPIX_BINDING(mask_boundary) {
    module.def(
        "mask_boundary",
        [](const py::object& masks_, const py::object& distance, double ratio,
           const py::object& out_, int num_threads) {
            const py::array masks = dense_masks(masks_);
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
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::mask_boundary(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("masks"), py::kw_only(), py::arg("distance"), py::arg("ratio"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
