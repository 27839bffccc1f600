#include "kernels/rle_crop/rle_crop.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_crop) {
    module.def(
        "rle_crop",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const py::object& boxes_, int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            RleCrop args;
            args.masks = masks.view();
            const auto boxes = shaped_array<std::int64_t>(boxes_, "boxes", {args.masks.count, 4});
            args.boxes = boxes.data();
            args.threads = num_threads;
            Array<std::int64_t> out_sizes(std::vector<py::ssize_t>{args.masks.count, 2});
            args.out_sizes = out_sizes.mutable_data();
            Ragged<std::uint32_t> out;
            without_gil([&] { return cpu::rle_crop(args, &out); });
            return columns(out, out_sizes);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::arg("boxes"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
