#include "kernels/rle_encode/rle_encode.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {
namespace {

// uint8 or bool (n, H, W), strided as it may be: its bytes are read where they lie.
py::array masks_array(const py::object& object) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error("masks: expected a NumPy array");
    }
    const auto masks = py::reinterpret_borrow<py::array>(object);
    if (!masks.dtype().equal(py::dtype::of<std::uint8_t>()) &&
        !masks.dtype().equal(py::dtype::of<bool>())) {
        throw py::type_error("masks: expected dtype uint8 or bool, got " +
                             py::str(masks.dtype()).cast<std::string>());
    }
    require(masks.ndim() == 3, "masks: expected 3 dimensions, got " + std::to_string(masks.ndim()));
    return masks;
}

}  // namespace

REFPIX_BINDING(rle_encode) {
    module.def(
        "rle_encode",
        [](const py::object& masks_object, const std::string& rule, int num_threads) {
            const py::array masks = masks_array(masks_object);
            require(rule == "nonzero" || rule == "change",
                    "rule: expected nonzero or change, got " + rule);
            RleEncode args;
            args.masks = static_cast<const std::uint8_t*>(masks.data());
            args.count = masks.shape(0);
            args.height = masks.shape(1);
            args.width = masks.shape(2);
            args.stride_item = masks.strides(0);
            args.stride_y = masks.strides(1);
            args.stride_x = masks.strides(2);
            args.change = rule == "change";
            args.threads = num_threads;
            Ragged<std::uint32_t> counts;
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::rle_encode(args, &counts);
            }
            raise_on_fault(status);
            Array<std::int64_t> sizes({args.count, std::int64_t{2}});
            for (std::int64_t i = 0; i < args.count; ++i) {
                sizes.mutable_at(i, 0) = args.height;
                sizes.mutable_at(i, 1) = args.width;
            }
            return columns(counts, sizes);
        },
        py::arg("masks"), py::kw_only(), py::arg("rule"), py::arg("num_threads"));
}

}  // namespace refpix::bind
