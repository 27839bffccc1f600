#include "kernels/rle_decode/rle_decode.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {
namespace {

// Zeros of the system's: pages that hold no foreground are never touched.
py::array zeros(std::int64_t size, const std::string& dtype) {
    return py::module_::import("numpy").attr("zeros")(size, dtype);
}

py::array decode_output(const py::object& out, std::int64_t size, const std::string& dtype) {
    if (out.is_none()) {
        return zeros(size, dtype);
    }
    return output(out, "u1 b1", {size});
}

}  // namespace

REFPIX_BINDING(rle_decode) {
    module.def(
        "rle_decode",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const std::string& order, const std::string& dtype, const py::object& out,
           int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            require(order == "C" || order == "F", "order: expected C or F, got " + order);
            require(dtype == "uint8" || dtype == "bool",
                    "dtype: expected uint8 or bool, got " + dtype);
            RleDecode args;
            args.masks = masks.view();
            args.fortran = order == "F";
            args.threads = num_threads;
            Array<std::int64_t> pixel_offsets(args.masks.count + 1);
            args.offsets = pixel_offsets.data();
            without_gil(
                [&] { return cpu::rle_decode_offsets(args.masks, pixel_offsets.mutable_data()); });
            py::array result = decode_output(out, args.offsets[args.masks.count], dtype);
            args.out = static_cast<std::uint8_t*>(result.mutable_data());
            args.zeroed = out.is_none();
            without_gil([&] { return cpu::rle_decode(args); });
            return py::make_tuple(result, pixel_offsets);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("order"),
        py::arg("dtype"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
