#include "kernels/base64_decode/base64_decode.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(base64_decode) {
    module.def(
        "base64_decode",
        [](const py::object& values, const py::object& spans_, bool strict, bool repair_padding,
           const py::object& out, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
            Base64Decode args;
            args.text = spans(bytes, item_spans);
            args.options = {strict, repair_padding};
            args.threads = num_threads;
            Array<std::int64_t> offsets(args.text.count + 1);
            args.offsets = offsets.mutable_data();
            without_gil([&] { return cpu::base64_decode_bounds(args); });
            const std::int64_t bound = args.offsets[args.text.count];
            auto decoded =
                out.is_none() ? Array<std::uint8_t>(bound) : array<std::uint8_t>(out, "out", 1);
            require(decoded.writeable(), "out: array is read-only");
            if (decoded.size() < bound) {
                raise_on_fault({Fault::output_too_small});
            }
            args.out = decoded.mutable_data();
            without_gil([&] { return cpu::base64_decode(args); });
            const std::int64_t size = args.offsets[args.text.count];
            const Array<std::uint8_t> written(decoded[py::slice(0, size, 1)]);  // a view
            return py::make_tuple(written, offsets);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("strict"),
        py::arg("repair_padding"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
