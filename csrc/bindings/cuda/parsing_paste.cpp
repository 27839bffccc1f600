#include "kernels/parsing_paste/parsing_paste.h"

#include "bindings/cuda/device_array.h"
#include "bindings/label_options.h"

namespace refpix::bind {

REFPIX_BINDING(parsing_paste) {
    module.def(
        "parsing_paste",
        [](const py::object& boxes_, const py::object& maps_,
           const std::pair<std::int64_t, std::int64_t>& size, const py::object& out_,
           int /*num_threads*/) {
            const DeviceArray boxes = shaped_device_array(boxes_, "boxes", "f4", {-1, 4});
            const DeviceArray maps =
                shaped_device_array(maps_, "maps", "u1", {boxes.shape[0], -1, -1});
            require(maps.shape[1] > 0 && maps.shape[2] > 0, "maps: must have pixels");
            require(maps.shape[2] <= INT32_MAX, "maps: too wide");
            require_size(size, "size");
            cuda::ParsingPasteRun run;
            ParsingPaste& args = run.args;
            args.boxes = packed<float>(boxes, "boxes");
            args.maps = packed<std::uint8_t>(maps, "maps");
            args.count = maps.shape[0];
            args.map_height = maps.shape[1];
            args.map_width = maps.shape[2];
            args.height = size.first;
            args.width = size.second;
            const Shape shape{args.count, args.height, args.width};
            const auto given = given_out(out_, "u1", shape);
            const DeviceCall call({&boxes, &maps}, given);
            const DeviceArray out = call.output(given, shape, "uint8");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(out.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::parsing_paste, run);
            return out.owner;
        },
        py::arg("boxes"), py::arg("maps"), py::kw_only(), py::arg("size"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
