#include "kernels/image_noise/image_noise.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_noise) {
    module.def(
        "image_noise",
        [](const py::object& images_, const py::object& sigmas_, const py::object& keys_,
           const py::object& out, int /*num_threads*/) {
            const ImageStack images = image_stack(images_, "u1");
            const DeviceArray sigmas = device_array(sigmas_, "sigmas", "f8 f4", 1);
            const DeviceArray keys = device_array(keys_, "keys", "i8", 2);
            cuda::ImageNoiseRun run;
            ImageNoise& args = run.args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.item_bytes = images.height * images.width * images.channels;
            args.sigmas = packed<void>(sigmas, "sigmas");
            args.double_sigmas = sigmas.type == "f8";
            args.keys = packed<std::int64_t>(keys, "keys");
            require(sigmas.shape[0] == args.count, "sigmas: expected one per image");
            require(keys.shape[0] == args.count && keys.shape[1] == 2,
                    "keys: expected shape (n, 2)");
            const auto given = given_apart(out, images.array, images.array.shape);
            const DeviceCall call({&images.array, &sigmas, &keys}, given);
            const DeviceArray result = call.output(given, images.array.shape, "uint8");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::image_noise(run, call.stream());
            }
            check_cuda(error);
            return result.owner;
        },
        py::arg("images"), py::arg("sigmas"), py::arg("keys"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
