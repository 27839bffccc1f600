#include "kernels/rle_overlap/rle_overlap.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_overlap) {
    module.def(
        "rle_overlap",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const py::object& pairs_, int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            const auto pairs = shaped_array<std::int64_t>(pairs_, "pairs", {-1, 2});
            RleOverlap args;
            args.masks = masks.view();
            args.pairs = pairs.data();
            args.pair_count = pairs.shape(0);
            args.threads = num_threads;
            Array<std::int64_t> out(std::vector<py::ssize_t>{args.pair_count, 3});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::rle_overlap(args); });
            return out;
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::arg("pairs"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
