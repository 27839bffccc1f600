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
            const auto boxes = array<std::int64_t>(boxes_, "boxes", 2);
            require(boxes.shape(0) == args.masks.count && boxes.shape(1) == 4,
                    "boxes: expected shape (n, 4), a row per mask");
            args.boxes = boxes.data();
            args.threads = num_threads;
            Array<std::int64_t> out_sizes(std::vector<py::ssize_t>{args.masks.count, 2});
            args.out_sizes = out_sizes.mutable_data();
            Ragged<std::uint32_t> out;
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::rle_crop(args, &out);
            }
            raise_on_fault(status);
            return columns(out, out_sizes);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::arg("boxes"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
