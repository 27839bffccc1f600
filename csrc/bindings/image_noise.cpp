#include "kernels/image_noise/image_noise.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_noise) {
    module.def(
        "image_noise",
        [](const py::object& images_, const py::object& sigmas_, const py::object& keys_,
           const py::object& out_, int num_threads) {
            const auto images = byte_images(images_);
            ImageNoise args;
            args.images = images.data();
            args.count = images.shape(0);
            args.item_bytes = item_size(images);
            const py::array sigmas = floats(sigmas_, "sigmas", 1);
            args.sigmas = sigmas.data();
            args.double_sigmas = sigmas.itemsize() == sizeof(double);
            require(sigmas.shape(0) == args.count, "sigmas: expected one per image");
            const auto keys = array<std::int64_t>(keys_, "keys", 2);
            args.keys = keys.data();
            require(keys.shape(0) == args.count && keys.shape(1) == 2,
                    "keys: expected shape (n, 2)");
            args.threads = num_threads;
            auto out = stack_output(out_, images, images.shape(1), images.shape(2));
            args.out = out.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::image_noise(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("images"), py::arg("sigmas"), py::arg("keys"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
