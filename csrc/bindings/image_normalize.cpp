#include "kernels/image_normalize/image_normalize.h"

#include "bindings/bind.h"
#include "bindings/image_options.h"

namespace refpix::bind {

REFPIX_BINDING(image_normalize) {
    module.def(
        "image_normalize",
        [](const py::object& images, const py::object& mean, const py::object& std,
           const std::string& dtype, bool channels_last, const py::object& out, int num_threads) {
            require(py::isinstance<py::array_t<std::uint8_t>>(images), "images: expected uint8");
            const auto pixels = py::reinterpret_borrow<py::array_t<std::uint8_t>>(images);
            require(pixels.ndim() == 4 && pixels.shape(3) == 3,
                    "images: expected shape (n, H, W, 3)");
            // Rows and images may lie apart (a crop is a view); the pixels of a row may not.
            require(pixels.size() == 0 || (pixels.strides(3) == 1 && pixels.strides(2) == 3),
                    "images: the pixels of a row must lie side by side");
            ImageNormalize args;
            args.images = pixels.data();
            args.count = pixels.shape(0);
            args.height = pixels.shape(1);
            args.width = pixels.shape(2);
            args.image_stride_bytes = pixels.strides(0);
            args.row_stride_bytes = pixels.strides(1);
            channel_values(mean, "mean", args.mean);
            channel_values(std, "std", args.std);
            args.type = normalize_type(dtype);
            args.channels_last = channels_last;
            args.threads = num_threads;
            auto result = normalized_output(
                out, args.type,
                normalized_shape(args.count, args.height, args.width, channels_last));
            args.out = result.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::image_normalize(args);
            }
            raise_on_fault(status);
            return result;
        },
        py::arg("images"), py::kw_only(), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("channels_last"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
