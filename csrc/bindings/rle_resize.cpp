#include "kernels/rle_resize/rle_resize.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {
namespace {

MaskResizeRule resize_rule(const std::string& name) {
    require(name == "torch" || name == "opencv" || name == "pillow",
            "rule: expected 'torch', 'opencv' or 'pillow', got " + name);
    if (name == "torch") {
        return MaskResizeRule::torch;
    }
    return name == "opencv" ? MaskResizeRule::opencv : MaskResizeRule::pillow;
}

}  // namespace

REFPIX_BINDING(rle_resize) {
    module.def(
        "rle_resize",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const py::object& new_sizes_, const std::string& rule, int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            RleResize args;
            args.masks = masks.view();
            const auto new_sizes =
                shaped_array<std::int64_t>(new_sizes_, "new_sizes", {args.masks.count, 2});
            args.new_sizes = new_sizes.data();
            args.rule = resize_rule(rule);
            args.threads = num_threads;
            Ragged<std::uint32_t> out;
            without_gil([&] { return cpu::rle_resize(args, &out); });
            return columns(out, new_sizes);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::arg("new_sizes"),
        py::kw_only(), py::arg("rule"), py::arg("num_threads"));
}

}  // namespace refpix::bind
