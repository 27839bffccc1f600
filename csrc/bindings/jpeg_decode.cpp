#include "kernels/jpeg_decode/jpeg_decode.h"

#include "bindings/bind.h"
#include "kernels/jpeg_decode/route.h"

namespace refpix::bind {
namespace {

Array<std::int64_t> boxes_of(const py::object& roi, std::int64_t count) {
    if (roi.is_none()) {
        return {};
    }
    return shaped_array<std::int64_t>(roi, "roi", {count, 4});
}

template <typename T>
Array<std::uint8_t> codes(std::int64_t count, T** data) {
    static_assert(sizeof(T) == 1);
    Array<std::uint8_t> made(count);
    *data = reinterpret_cast<T*>(made.mutable_data());
    return made;
}

}  // namespace

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
            const auto boxes = boxes_of(roi, args.files.count);
            args.roi = roi.is_none() ? nullptr : boxes.data();
            Array<std::int64_t> sizes({py::ssize_t{args.files.count}, py::ssize_t{2}});
            Array<std::int64_t> offsets(args.files.count + 1);
            args.sizes = sizes.mutable_data();
            args.offsets = offsets.mutable_data();
            without_gil([&] { return cpu::jpeg_decode_sizes(args); });
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
            without_gil([&] { return cpu::jpeg_decode(args); });
            return py::module_::import("refpix.types").attr("ImagesBatch")(pixels, offsets, sizes);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("roi"), py::arg("scale_denom"),
        py::arg("allow_truncated"), py::arg("pixel_limit"), py::arg("scan_limit"), py::arg("out"),
        py::arg("num_threads"));
}

// For refpix.cuda.JpegDecoder: which files are for the GPU, and those that are not.
REFPIX_BINDING(jpeg_routes) {
    module.def(
        "jpeg_routes",
        [](const py::object& values, const py::object& spans_, const py::object& roi,
           bool allow_truncated, std::int64_t pixel_limit, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            JpegRoutes args;
            JpegDecode& decode = args.decode;
            decode.files = spans(bytes, item_spans);
            decode.options = {allow_truncated, pixel_limit, jpeg_default_scan_limit, 1};
            decode.threads = num_threads;
            const std::int64_t count = decode.files.count;
            const auto boxes = boxes_of(roi, count);
            decode.roi = roi.is_none() ? nullptr : boxes.data();
            Array<std::int64_t> sizes({count, std::int64_t{2}});
            Array<std::int64_t> pictures({count, std::int64_t{2}});
            Array<std::int64_t> faults({count, std::int64_t{2}});
            Array<std::int64_t> lengths(count);
            decode.sizes = sizes.mutable_data();
            args.pictures = pictures.mutable_data();
            args.faults = faults.mutable_data();
            args.lengths = lengths.mutable_data();
            const auto engines = codes(count, &args.engines);
            const auto reasons = codes(count, &args.reasons);
            without_gil([&] { return cpu::jpeg_routes(args); });
            return py::make_tuple(sizes, pictures, lengths, engines, reasons, faults);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("roi"),
        py::arg("allow_truncated"), py::arg("pixel_limit"), py::arg("num_threads"));
}

REFPIX_BINDING(jpeg_decode_items) {
    module.def(
        "jpeg_decode_items",
        [](const py::object& values, const py::object& spans_, const py::object& sizes_,
           const py::object& offsets_, const py::object& out, const py::object& roi,
           bool allow_truncated, std::int64_t pixel_limit, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            auto pixels = array<std::uint8_t>(out, "out", 1);
            JpegDecode args;
            args.files = spans(bytes, item_spans);
            args.options = {allow_truncated, pixel_limit, jpeg_default_scan_limit, 1};
            args.threads = num_threads;
            const std::int64_t count = args.files.count;
            const auto boxes = boxes_of(roi, count);
            args.roi = roi.is_none() ? nullptr : boxes.data();
            auto sizes = shaped_array<std::int64_t>(sizes_, "sizes", {count, 2});
            auto offsets = shaped_array<std::int64_t>(offsets_, "offsets", {count});
            for (std::int64_t i = 0; i < count; ++i) {
                const std::int64_t height = sizes.at(i, 0), width = sizes.at(i, 1);
                const std::int64_t room = pixels.size() - offsets.at(i);
                require(height > 0 && width > 0 && offsets.at(i) >= 0 && height <= room / 3 / width,
                        "out: no room for item " + std::to_string(i));
            }
            args.sizes = sizes.mutable_data();
            args.offsets = offsets.mutable_data();
            args.pixels = pixels.mutable_data();
            Array<std::int64_t> faults({count, std::int64_t{2}});
            without_gil([&] { return cpu::jpeg_decode_items(args, faults.mutable_data()); });
            return faults;
        },
        py::arg("values"), py::arg("spans"), py::arg("sizes"), py::arg("offsets"), py::arg("out"),
        py::kw_only(), py::arg("roi"), py::arg("allow_truncated"), py::arg("pixel_limit"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
