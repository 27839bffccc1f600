#include "kernels/parsing_unpack/parsing_unpack.h"

#include "bindings/cuda/device_array.h"

namespace refpix::bind {

REFPIX_BINDING(parsing_unpack) {
    module.def(
        "parsing_unpack",
        [](const py::object& values_, const py::object& spans_, bool strict, int /*num_threads*/) {
            const DeviceArray values = device_array(values_, "values", "u1", 1);
            const DeviceArray spans = shaped_device_array(spans_, "spans", "i8", {-1, 2});
            const std::int64_t count = spans.shape[0];
            const DeviceCall call({&values, &spans});
            const DeviceArray offsets = call.allocate({count + 1}, "int64");
            const DeviceArray first_bad = call.allocate({3}, "int64");
            cuda::ParsingUnpackRun run;
            run.args.text = {packed<std::uint8_t>(values, "values"), values.shape[0],
                             packed<std::int64_t>(spans, "spans"), count};
            run.args.strict = strict;
            run.args.offsets = static_cast<std::int64_t*>(offsets.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::parsing_unpack_count, run);
            run.capacity =
                strict ? count * parsing_code_count : call.read_back(run.args.offsets + count);
            const DeviceArray codes = call.allocate({run.capacity}, "int32");
            run.args.codes = static_cast<std::int32_t*>(codes.data);
            call.launch(cuda::parsing_unpack, run);
            return py::make_tuple(codes.owner, offsets.owner);
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("strict"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
