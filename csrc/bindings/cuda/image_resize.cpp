#include "kernels/image_resize/image_resize.h"

#include "bindings/cuda/resize_run.h"

namespace refpix::bind {

REFPIX_BINDING(image_resize) {
    module.def(
        "image_resize",
        [](const py::object& pixels, const py::object& offsets, const py::object& sizes,
           std::pair<std::int64_t, std::int64_t> out_size, int channels, const std::string& filter,
           const std::string& order, const py::object& out, int /*num_threads*/) {
            const ResizeInputs inputs(pixels, offsets, sizes);
            ImageResize args;
            inputs.set(args);
            set_resize_options(args, out_size, channels, filter, order);
            require_device_filter(args);
            const Shape shape{args.count, args.out_height, args.out_width, args.channels};
            const auto given = given_out(out, "u1", shape);
            const DeviceCall call({&inputs.pixels, &inputs.offsets, &inputs.sizes}, given);
            const DeviceArray result = call.output(given, shape, "uint8");
            args.out = static_cast<std::uint8_t*>(result.data);
            const ResizeScratch scratch(call, args);
            const cuda::ImageResizeRun run = scratch.run(args);
            call.launch(cuda::image_resize, run);
            return result.owner;
        },
        py::arg("pixels"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("channels"), py::arg("filter"), py::arg("order"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
