#include "kernels/image_flip/image_flip.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_flip) {
    module.def(
        "image_flip",
        [](const py::object& images_, const py::object& flips_, const py::object& out,
           int /*num_threads*/) {
            const ImageStack images = image_stack(images_);
            const DeviceArray flips = device_array(flips_, "flips", "u1", 1);
            cuda::ImageFlipRun run;
            ImageFlip& args = run.args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.height = images.height;
            args.width = images.width;
            args.pixel_bytes = images.pixel_bytes();
            args.flips = packed<std::uint8_t>(flips, "flips");
            require(flips.shape[0] == args.count, "flips: expected one per image");
            const auto given =
                given_apart(out, images.array, images.shape(args.height, args.width));
            const DeviceCall call({&images.array, &flips}, given);
            const DeviceArray result =
                call.output(given, images.shape(args.height, args.width), images.dtype);
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::image_flip(run, call.stream());
            }
            check_cuda(error);
            return result.owner;
        },
        py::arg("images"), py::arg("flips"), py::kw_only(), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
