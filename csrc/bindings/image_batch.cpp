#include "kernels/image_batch/image_batch.h"

#include "bindings/bind.h"
#include "bindings/image_options.h"

namespace refpix::bind {

REFPIX_BINDING(image_batch) {
    module.def(
        "image_batch",
        [](const py::object& values, const py::object& spans_, const std::string& encoding,
           std::pair<std::int64_t, std::int64_t> size, const std::string& filter,
           const std::string& order, const py::object& mean, const py::object& std,
           const std::string& dtype, bool allow_truncated,
           const std::optional<std::int64_t>& pixel_limit, const py::object& out, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            require(encoding == "base64" || encoding == "raw",
                    "encoding: expected base64 or raw, got " + encoding);
            require(size.first > 0 && size.second > 0 && size.first <= (1 << 26) &&
                        size.second <= (1 << 26),
                    "size: height and width must be positive");
            ImageBatch args;
            args.payloads = spans(bytes, item_spans);
            args.base64 = encoding == "base64";
            args.out_height = size.first;
            args.out_width = size.second;
            args.filter = resize_filter(filter);
            args.order = pass_order(order);
            channel_values(mean, "mean", args.mean);
            channel_values(std, "std", args.std);
            args.type = normalize_type(dtype);
            args.allow_truncated = allow_truncated;
            args.pixel_limit = pixel_limit.value_or(INT64_MAX);
            args.threads = num_threads;
            const std::int64_t count = args.payloads.count;
            auto batch =
                normalized_output(out, args.type, {count, 3, args.out_height, args.out_width});
            Array<std::int64_t> sizes({count, std::int64_t{2}});
            Array<std::int64_t> faults({count, std::int64_t{2}});
            args.out = batch.mutable_data();
            args.sizes = sizes.mutable_data();
            args.faults = faults.mutable_data();
            without_gil([&] { return cpu::image_batch(args); });
            return py::make_tuple(batch, sizes, faults);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("encoding"), py::arg("size"),
        py::arg("filter"), py::arg("order"), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("allow_truncated"), py::arg("pixel_limit"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
