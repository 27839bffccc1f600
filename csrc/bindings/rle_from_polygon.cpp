#include "kernels/rle_from_polygon/rle_from_polygon.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_from_polygon) {
    module.def(
        "rle_from_polygon",
        [](const py::object& coordinates_, const py::object& offsets_, const py::object& sizes_,
           int num_threads) {
            const auto coordinates = array<double>(coordinates_, "coordinates", 1);
            const auto sizes = shaped_array<std::int64_t>(sizes_, "sizes", {-1, 2});
            const auto offsets =
                shaped_array<std::int64_t>(offsets_, "offsets", {sizes.shape(0) + 1});
            RleFromPolygon args;
            args.coordinates = coordinates.data();
            args.size = coordinates.size();
            args.offsets = offsets.data();
            args.count = sizes.shape(0);
            args.sizes = sizes.data();
            args.threads = num_threads;
            Ragged<std::uint32_t> out;
            without_gil([&] { return cpu::rle_from_polygon(args, &out); });
            return columns(out, sizes);
        },
        py::arg("coordinates"), py::arg("offsets"), py::arg("sizes"), py::kw_only(),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
