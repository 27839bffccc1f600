#include "kernels/rle_from_bbox/rle_from_bbox.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_from_bbox) {
    module.def(
        "rle_from_bbox",
        [](const py::object& boxes_, const py::object& sizes_, int num_threads) {
            const auto boxes = array<double>(boxes_, "boxes", 2);
            require(boxes.shape(1) == 4, "boxes: expected shape (n, 4)");
            const auto sizes = mask_sizes(sizes_, "sizes", boxes.shape(0));
            RleFromBbox args;
            args.boxes = boxes.data();
            args.count = boxes.shape(0);
            args.sizes = sizes.data();
            args.threads = num_threads;
            Ragged<std::uint32_t> out;
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::rle_from_bbox(args, &out);
            }
            raise_on_fault(status);
            return columns(out, sizes);
        },
        py::arg("boxes"), py::arg("sizes"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
