#include "kernels/jpeg_decode/jpeg_decode.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(jpeg_decode) {
    module.def(
        "jpeg_decode",
        [](const py::object& values, const py::object& spans_, const py::object& roi,
           int scale_denom, bool allow_truncated, std::int64_t pixel_limit, int scan_limit,
           const py::object& out, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            require(scale_denom == 1 || scale_denom == 2 || scale_denom == 4 || scale_denom == 8,
                    "scale_denom: expected 1, 2, 4 or 8");
            JpegDecode args;
            args.files = spans(bytes, item_spans);
            args.options = {allow_truncated, pixel_limit, scan_limit, scale_denom};
            args.threads = num_threads;
            Array<std::int64_t> boxes;
            if (!roi.is_none()) {
                boxes = array<std::int64_t>(roi, "roi", 2);
                require(boxes.shape(0) == args.files.count && boxes.shape(1) == 4,
                        "roi: expected shape (n, 4)");
                args.roi = boxes.data();
            }
            Array<std::int64_t> sizes({py::ssize_t{args.files.count}, py::ssize_t{2}});
            Array<std::int64_t> offsets(args.files.count + 1);
            args.sizes = sizes.mutable_data();
            args.offsets = offsets.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::jpeg_decode_sizes(args);
            }
            raise_on_fault(status);
            const std::int64_t total = args.offsets[args.files.count];
            Array<std::uint8_t> pixels;
            if (out.is_none()) {
                pixels = Array<std::uint8_t>(total);
            } else {
                pixels = array<std::uint8_t>(out, "out", 1);
                require(pixels.writeable(), "out: array is read-only");
                require(pixels.size() >= total, "out: too small: expected at least " +
                                                    std::to_string(total) + " bytes, got " +
                                                    std::to_string(pixels.size()));
            }
            args.pixels = pixels.mutable_data();
            {
                py::gil_scoped_release release;
                status = cpu::jpeg_decode(args);
            }
            raise_on_fault(status);
            return py::module_::import("refpix.types").attr("ImagesBatch")(pixels, offsets, sizes);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("roi"), py::arg("scale_denom"),
        py::arg("allow_truncated"), py::arg("pixel_limit"), py::arg("scan_limit"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
