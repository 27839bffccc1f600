#include "kernels/image_flip/image_flip.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_flip) {
    module.def(
        "image_flip",
        [](const py::object& images_, const py::object& flips_, const py::object& out,
           int /*num_threads*/) {
            const ImageStack images = image_stack(images_);
            const DeviceArray flips = shaped_device_array(flips_, "flips", "u1", {images.count});
            cuda::ImageFlipRun run;
            ImageFlip& args = run.args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.height = images.height;
            args.width = images.width;
            args.pixel_bytes = images.pixel_bytes();
            args.flips = packed<std::uint8_t>(flips, "flips");
            const auto given =
                given_apart(out, images.array, images.shape(args.height, args.width));
            const DeviceCall call({&images.array, &flips}, given);
            const DeviceArray result =
                call.output(given, images.shape(args.height, args.width), images.dtype);
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::image_flip, run);
            return result.owner;
        },
        py::arg("images"), py::arg("flips"), py::kw_only(), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
