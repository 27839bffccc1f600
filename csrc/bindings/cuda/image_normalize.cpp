#include "kernels/image_normalize/image_normalize.h"

#include "bindings/cuda/normalized_output.h"
#include "bindings/image_options.h"

namespace refpix::bind {
namespace {

ImageNormalize arguments(const DeviceArray& images) {
    ImageNormalize args;
    args.images = static_cast<const std::uint8_t*>(images.data);
    args.count = images.shape[0];
    args.height = images.shape[1];
    args.width = images.shape[2];
    require(images.packed(2), "images: the pixels of a row must be contiguous");
    args.image_stride_bytes = images.strides[0];
    args.row_stride_bytes = images.strides[1];
    return args;
}

}  // namespace

REFPIX_BINDING(image_normalize) {
    module.def(
        "image_normalize",
        [](const py::object& images_, const py::object& mean, const py::object& std,
           const std::string& dtype, bool channels_last, const py::object& out,
           int /*num_threads*/) {
            const DeviceArray images =
                shaped_device_array(images_, "images", "u1", {-1, -1, -1, 3});
            ImageNormalize args = arguments(images);
            args.type = normalize_type(dtype);
            args.channels_last = channels_last;
            channel_values(mean, "mean", args.mean);
            channel_values(std, "std", args.std);
            const NormalizedType type = normalized_type(args.type);
            const Shape shape =
                normalized_shape(args.count, args.height, args.width, channels_last);
            const auto given = given_out(out, type.accepted, shape);
            const DeviceCall call({&images}, given);
            const DeviceArray result = call.output(given, shape, type.dtype);
            args.out = result.data;
            call.launch(cuda::image_normalize, args);
            return result.owner;
        },
        py::arg("images"), py::kw_only(), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("channels_last"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
