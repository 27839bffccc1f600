#include "kernels/rle_flip/rle_flip.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {
namespace {

FlipAxis flip_axis(const std::string& name) {
    require(name == "horizontal" || name == "vertical",
            "axis: expected 'horizontal' or 'vertical', got " + name);
    return name == "horizontal" ? FlipAxis::horizontal : FlipAxis::vertical;
}

}  // namespace

REFPIX_BINDING(rle_flip) {
    module.def(
        "rle_flip",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const std::string& axis, int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            RleFlip args;
            args.masks = masks.view();
            args.axis = flip_axis(axis);
            args.threads = num_threads;
            Ragged<std::uint32_t> out;
            without_gil([&] { return cpu::rle_flip(args, &out); });
            return columns(out, masks.sizes);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("axis"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
