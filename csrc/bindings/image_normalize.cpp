#include "kernels/image_normalize/image_normalize.h"

#include "bindings/bind.h"
#include "bindings/image_options.h"

namespace refpix::bind {

REFPIX_BINDING(image_normalize) {
    module.def(
        "image_normalize",
        [](const py::object& images_, const py::object& mean, const py::object& std,
           const std::string& dtype, bool channels_last, const py::object& out, int num_threads) {
            // Rows and images may lie apart (a crop is a view); the pixels of a row may not.
            const py::array images = strided_array(images_, "images", "u1", 4);
            require_shape(shape_of(images), {-1, -1, -1, 3}, "images");
            require(images.size() == 0 || (images.strides(3) == 1 && images.strides(2) == 3),
                    "images: the pixels of a row must lie side by side");
            ImageNormalize args;
            args.images = static_cast<const std::uint8_t*>(images.data());
            args.count = images.shape(0);
            args.height = images.shape(1);
            args.width = images.shape(2);
            args.image_stride_bytes = images.strides(0);
            args.row_stride_bytes = images.strides(1);
            channel_values(mean, "mean", args.mean);
            channel_values(std, "std", args.std);
            args.type = normalize_type(dtype);
            args.channels_last = channels_last;
            args.threads = num_threads;
            auto result = normalized_output(
                out, args.type,
                normalized_shape(args.count, args.height, args.width, channels_last));
            args.out = result.mutable_data();
            without_gil([&] { return cpu::image_normalize(args); });
            return result;
        },
        py::arg("images"), py::kw_only(), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("channels_last"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
