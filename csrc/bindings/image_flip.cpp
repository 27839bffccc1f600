#include "kernels/image_flip/image_flip.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_flip) {
    module.def(
        "image_flip",
        [](const py::object& images_, const py::object& flips_, const py::object& out_,
           int num_threads) {
            const ImageStack images = image_stack(images_);
            const auto flips = shaped_array<std::uint8_t>(flips_, "flips", {images.count});
            ImageFlip args;
            args.images = images.data();
            args.count = images.count;
            args.height = images.height;
            args.width = images.width;
            args.pixel_bytes = images.pixel_bytes();
            args.flips = flips.data();
            args.threads = num_threads;
            py::array out = stack_output(out_, images, args.height, args.width);
            args.out = static_cast<std::uint8_t*>(out.mutable_data());
            without_gil([&] { return cpu::image_flip(args); });
            return out;
        },
        py::arg("images"), py::arg("flips"), py::kw_only(), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
