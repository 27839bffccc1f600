#include "kernels/rle_from_bbox/rle_from_bbox.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_from_bbox) {
    module.def(
        "rle_from_bbox",
        [](const py::object& boxes_, const py::object& sizes_, int num_threads) {
            const auto boxes = shaped_array<double>(boxes_, "boxes", {-1, 4});
            const auto sizes = shaped_array<std::int64_t>(sizes_, "sizes", {boxes.shape(0), 2});
            RleFromBbox args;
            args.boxes = boxes.data();
            args.count = boxes.shape(0);
            args.sizes = sizes.data();
            args.threads = num_threads;
            Ragged<std::uint32_t> out;
            without_gil([&] { return cpu::rle_from_bbox(args, &out); });
            return columns(out, sizes);
        },
        py::arg("boxes"), py::arg("sizes"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
