#include "kernels/rle_bbox/rle_bbox.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_bbox) {
    module.def(
        "rle_bbox",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            RleBbox args;
            args.masks = masks.view();
            args.threads = num_threads;
            Array<std::int64_t> out(std::vector<py::ssize_t>{args.masks.count, 4});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::rle_bbox(args); });
            return out;
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
