#include "kernels/rle_area/rle_area.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_area) {
    module.def(
        "rle_area",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            RleArea args;
            args.masks = masks.view();
            args.threads = num_threads;
            Array<std::int64_t> out(args.masks.count);
            args.out = out.mutable_data();
            without_gil([&] { return cpu::rle_area(args); });
            return out;
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
