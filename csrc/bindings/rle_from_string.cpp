#include "kernels/rle_from_string/rle_from_string.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_from_string) {
    module.def(
        "rle_from_string",
        [](const py::object& values, const py::object& spans_, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            RleFromString args;
            args.text = spans(bytes, item_spans);
            args.threads = num_threads;
            Ragged<std::uint32_t> counts;
            without_gil([&] { return cpu::rle_from_string(args, &counts); });
            return columns(counts);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
