#include "kernels/image_noise/image_noise.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_noise) {
    module.def(
        "image_noise",
        [](const py::object& images_, const py::object& sigmas_, const py::object& keys_,
           const py::object& out, int /*num_threads*/) {
            const ImageStack images = image_stack(images_, "u1");
            const DeviceArray sigmas =
                shaped_device_array(sigmas_, "sigmas", "f8 f4", {images.count});
            const DeviceArray keys = shaped_device_array(keys_, "keys", "i8", {images.count, 2});
            cuda::ImageNoiseRun run;
            ImageNoise& args = run.args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.item_bytes = images.item_bytes();
            args.sigmas = packed<void>(sigmas, "sigmas");
            args.double_sigmas = sigmas.type == "f8";
            args.keys = packed<std::int64_t>(keys, "keys");
            const auto given = given_apart(out, images.array, images.array.shape);
            const DeviceCall call({&images.array, &sigmas, &keys}, given);
            const DeviceArray result = call.output(given, images.array.shape, "uint8");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::image_noise, run);
            return result.owner;
        },
        py::arg("images"), py::arg("sigmas"), py::arg("keys"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
