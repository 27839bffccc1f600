#include "kernels/png_unfilter/png_unfilter.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(png_unfilter) {
    module.def(
        "png_unfilter",
        [](const py::object& rows_, std::int64_t pixel_bytes, const py::object& out_) {
            const auto rows = array<std::uint8_t>(rows_, "rows", 2);
            require(rows.shape(1) > 0, "rows: expected a filter's number and the row");
            require(pixel_bytes >= 1 && pixel_bytes <= 8, "pixel_bytes: expected 1 to 8");
            PngUnfilter args;
            args.rows = rows.data();
            args.height = rows.shape(0);
            args.row_bytes = rows.shape(1) - 1;
            args.pixel_bytes = pixel_bytes;
            auto out = output<std::uint8_t>(out_, {args.height, args.row_bytes});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::png_unfilter(args); });
            return out;
        },
        py::arg("rows"), py::kw_only(), py::arg("pixel_bytes"), py::arg("out"));
}

}  // namespace refpix::bind
