#include "kernels/label_zoom/label_zoom.h"

#include "bindings/cuda/device_array.h"
#include "bindings/label_options.h"

namespace refpix::bind {

REFPIX_BINDING(label_zoom) {
    module.def(
        "label_zoom",
        [](const py::object& values_, const py::object& offsets_, const py::object& sizes_,
           const std::pair<std::int64_t, std::int64_t>& out_size, const std::string& rule,
           const py::object& out_, int /*num_threads*/) {
            const DeviceArray values = device_array(values_, "values", "u1 i2 i4 i8", 1);
            const DeviceArray sizes = shaped_device_array(sizes_, "sizes", "i8", {-1, 2});
            const DeviceArray offsets =
                shaped_device_array(offsets_, "offsets", "i8", {sizes.shape[0] + 1});
            require_size(out_size, "out_size");
            cuda::LabelZoomRun run;
            LabelZoom& args = run.args;
            args.type = label_type(values.type);
            args.values = packed<void>(values, "values");
            args.size = values.shape[0];
            args.offsets = packed<std::int64_t>(offsets, "offsets");
            args.sizes = packed<std::int64_t>(sizes, "sizes");
            args.count = sizes.shape[0];
            args.height = out_size.first;
            args.width = out_size.second;
            args.rule = zoom_rule(rule);
            const Shape shape{args.count, args.height, args.width};
            const auto given = given_out(out_, "i4", shape);
            const DeviceCall call({&values, &offsets, &sizes}, given);
            const DeviceArray out = call.output(given, shape, "int32");
            const DeviceArray first_bad = call.allocate({2}, "int64");
            args.out = static_cast<std::int32_t*>(out.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::label_zoom, run);
            return out.owner;
        },
        py::arg("values"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("rule"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
