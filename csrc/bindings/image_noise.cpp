#include "kernels/image_noise/image_noise.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_noise) {
    module.def(
        "image_noise",
        [](const py::object& images_, const py::object& sigmas_, const py::object& keys_,
           const py::object& out_, int num_threads) {
            const ImageStack images = image_stack(images_, "u1");
            const py::array sigmas = array(sigmas_, "sigmas", "f8 f4", 1);
            require_shape(shape_of(sigmas), {images.count}, "sigmas");
            const auto keys = shaped_array<std::int64_t>(keys_, "keys", {images.count, 2});
            ImageNoise args;
            args.images = images.data();
            args.count = images.count;
            args.item_bytes = images.item_bytes();
            args.sigmas = sigmas.data();
            args.double_sigmas = sigmas.itemsize() == sizeof(double);
            args.keys = keys.data();
            args.threads = num_threads;
            py::array out = stack_output(out_, images, images.height, images.width);
            args.out = static_cast<std::uint8_t*>(out.mutable_data());
            without_gil([&] { return cpu::image_noise(args); });
            return out;
        },
        py::arg("images"), py::arg("sigmas"), py::arg("keys"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
