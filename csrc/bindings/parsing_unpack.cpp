#include "kernels/parsing_unpack/parsing_unpack.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(parsing_unpack) {
    module.def(
        "parsing_unpack",
        [](const py::object& values, const py::object& spans_, bool strict, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            ParsingUnpack args;
            args.text = spans(bytes, item_spans);
            args.strict = strict;
            args.threads = num_threads;
            Array<std::int64_t> offsets(args.text.count + 1);
            args.offsets = offsets.mutable_data();
            without_gil([&] { return cpu::parsing_unpack_count(args); });
            Array<std::int32_t> codes(args.offsets[args.text.count]);
            args.codes = codes.mutable_data();
            without_gil([&] { return cpu::parsing_unpack(args); });
            return py::make_tuple(codes, offsets);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("strict"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
