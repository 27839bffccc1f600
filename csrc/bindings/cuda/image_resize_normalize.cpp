#include "kernels/image_resize_normalize/image_resize_normalize.h"

#include "bindings/cuda/normalized_output.h"
#include "bindings/cuda/resize_run.h"

namespace refpix::bind {

REFPIX_BINDING(image_resize_normalize) {
    module.def(
        "image_resize_normalize",
        [](const py::object& pixels, const py::object& offsets, const py::object& sizes,
           std::pair<std::int64_t, std::int64_t> out_size, const std::string& filter,
           const std::string& order, const py::object& mean, const py::object& std,
           const std::string& dtype, bool channels_last, const py::object& out,
           int /*num_threads*/) {
            const ResizeInputs inputs(pixels, offsets, sizes);
            ImageResize args;
            inputs.set(args);
            set_resize_options(args, out_size, 3, filter, order);
            require_device_filter(args);
            Normalization to;
            channel_values(mean, "mean", to.mean);
            channel_values(std, "std", to.std);
            to.type = normalize_type(dtype);
            to.channels_last = channels_last;
            const NormalizedType type = normalized_type(to.type);
            const Shape shape =
                normalized_shape(args.count, args.out_height, args.out_width, channels_last);
            const auto given = given_out(out, type.accepted, shape);
            const DeviceCall call({&inputs.pixels, &inputs.offsets, &inputs.sizes}, given);
            const DeviceArray result = call.output(given, shape, type.dtype);
            to.out = result.data;
            const ResizeScratch scratch(call, args);
            const cuda::ImageResizeRun run = scratch.run(args);
            call.launch(cuda::image_resize_normalize, run, to);
            return result.owner;
        },
        py::arg("pixels"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("filter"), py::arg("order"), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("channels_last"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
