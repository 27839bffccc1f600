#include "kernels/image_crop/image_crop.h"

#include "bindings/crop_fill.h"
#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_crop) {
    module.def(
        "image_crop",
        [](const py::object& images_, const py::object& corners_,
           std::pair<std::int64_t, std::int64_t> size, std::optional<double> pad,
           const py::object& out, int /*num_threads*/) {
            const ImageStack images = image_stack(images_);
            const DeviceArray corners =
                shaped_device_array(corners_, "corners", "i8", {images.count, 2});
            require(size.first > 0 && size.second > 0, "size: must be positive");
            cuda::ImageCropRun run;
            ImageCrop& args = run.args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.in_height = images.height;
            args.in_width = images.width;
            args.pixel_bytes = images.pixel_bytes();
            args.corners = packed<std::int64_t>(corners, "corners");
            args.height = size.first;
            args.width = size.second;
            args.padded = pad.has_value();
            args.fill = crop_fill(images.array.type, pad.value_or(0));
            const auto given =
                given_apart(out, images.array, images.shape(args.height, args.width));
            const DeviceCall call({&images.array, &corners}, given);
            const DeviceArray result =
                call.output(given, images.shape(args.height, args.width), images.dtype);
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::image_crop, run);
            return result.owner;
        },
        py::arg("images"), py::arg("corners"), py::kw_only(), py::arg("size"), py::arg("pad"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
