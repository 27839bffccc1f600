#include "kernels/image_crop/image_crop.h"

#include <pybind11/stl.h>

#include <optional>
#include <utility>

#include "bindings/crop_fill.h"
#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_crop) {
    module.def(
        "image_crop",
        [](const py::object& images_, const py::object& corners_,
           std::pair<std::int64_t, std::int64_t> size, std::optional<double> pad,
           const py::object& out_, int num_threads) {
            const ImageStack images = image_stack(images_);
            const auto corners = shaped_array<std::int64_t>(corners_, "corners", {images.count, 2});
            require(size.first > 0 && size.second > 0, "size: must be positive");
            ImageCrop args;
            args.images = images.data();
            args.count = images.count;
            args.in_height = images.height;
            args.in_width = images.width;
            args.pixel_bytes = images.pixel_bytes();
            args.corners = corners.data();
            args.height = size.first;
            args.width = size.second;
            args.padded = pad.has_value();
            args.fill = crop_fill(type_of(images.array), pad.value_or(0));
            args.threads = num_threads;
            py::array out = stack_output(out_, images, args.height, args.width);
            args.out = static_cast<std::uint8_t*>(out.mutable_data());
            without_gil([&] { return cpu::image_crop(args); });
            return out;
        },
        py::arg("images"), py::arg("corners"), py::kw_only(), py::arg("size"), py::arg("pad"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
