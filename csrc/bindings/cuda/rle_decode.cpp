#include "kernels/rle_decode/rle_decode.h"

#include "bindings/cuda/device_rles.h"

namespace refpix::bind {
namespace {

std::optional<DeviceArray> decode_output(const py::object& out) {
    if (out.is_none()) {
        return std::nullopt;
    }
    DeviceArray given = device_array(out, "out", "u1 b1", 1);
    require(given.packed(), "out: must be C-contiguous");
    require(!given.read_only, "out: array is read-only");
    return given;
}

}  // namespace

REFPIX_BINDING(rle_decode) {
    module.def(
        "rle_decode",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const std::string& order, const std::string& dtype, const py::object& out,
           int /*num_threads*/) {
            const DeviceRles masks(counts, offsets, sizes);
            require(order == "C" || order == "F", "order: expected C or F, got " + order);
            require(dtype == "uint8" || dtype == "bool",
                    "dtype: expected uint8 or bool, got " + dtype);
            const auto given = decode_output(out);
            const DeviceCall call({&masks.counts, &masks.offsets, &masks.sizes}, given);
            const std::int64_t count = masks.view.count;
            const DeviceArray pixel_offsets = call.allocate({count + 1}, "int64");
            const DeviceArray scratch = call.allocate({count + 5}, "int64");
            const DeviceArray ends = call.allocate({masks.view.size}, "int64");
            cuda::RleDecodeRun run;
            run.args.masks = masks.view;
            run.args.fortran = order == "F";
            run.offsets = static_cast<std::int64_t*>(pixel_offsets.data);
            run.first_bad = static_cast<std::int64_t*>(scratch.data);
            run.tiles = run.first_bad + 3;
            run.total = given ? nullptr : run.first_bad + count + 4;
            run.ends = static_cast<std::int64_t*>(ends.data);
            run.fault = device_fault();
            call.launch(cuda::rle_decode_measure, run);
            run.capacity = given ? given->shape[0] : call.read_back(run.total);
            const DeviceArray result = call.output(given, {run.capacity}, dtype.c_str());
            run.args.out = static_cast<std::uint8_t*>(result.data);
            call.launch(cuda::rle_decode, run);
            return py::make_tuple(result.owner, pixel_offsets.owner);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("order"),
        py::arg("dtype"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
