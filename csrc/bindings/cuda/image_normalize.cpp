#include "kernels/image_normalize/image_normalize.h"

#include "bindings/cuda/device_array.h"

namespace refpix::bind {
namespace {

struct OutputType {
    const char* dtype;
    NormalizeType type;
    const char* accepted;  // bfloat16 travels as "V2", or as its bits
};
constexpr OutputType output_types[] = {{"float32", NormalizeType::float32, "f4"},
                                       {"float16", NormalizeType::float16, "f2"},
                                       {"bfloat16", NormalizeType::bfloat16, "V2 u2"}};

const OutputType& output_type(const std::string& dtype) {
    for (const OutputType& type : output_types) {
        if (dtype == type.dtype) {
            return type;
        }
    }
    throw py::value_error("dtype: expected float32, float16 or bfloat16, got " + dtype);
}

void fill_channels(const std::vector<double>& values, const char* name, float channels[3]) {
    require(values.size() == 3, std::string(name) + ": expected 3 values");
    for (std::size_t channel = 0; channel < 3; ++channel) {
        channels[channel] = static_cast<float>(values[channel]);
    }
}

ImageNormalize arguments(const DeviceArray& images) {
    ImageNormalize args;
    args.images = static_cast<const std::uint8_t*>(images.data);
    args.count = images.shape[0];
    args.height = images.shape[1];
    args.width = images.shape[2];
    require(images.shape[3] == 3, "images: expected shape (n, height, width, 3)");
    require(images.packed(2), "images: the pixels of a row must be contiguous");
    args.image_stride_bytes = images.strides[0];
    args.row_stride_bytes = images.strides[1];
    return args;
}

}  // namespace

REFPIX_BINDING(image_normalize) {
    module.def(
        "image_normalize",
        [](const py::object& images_, const std::vector<double>& mean,
           const std::vector<double>& std, const std::string& dtype, const py::object& out,
           int /*num_threads*/) {
            const DeviceArray images = device_array(images_, "images", "u1", 4);
            ImageNormalize args = arguments(images);
            const OutputType& wanted = output_type(dtype);
            args.type = wanted.type;
            fill_channels(mean, "mean", args.mean);
            fill_channels(std, "std", args.std);
            const std::vector<std::int64_t> shape{args.count, 3, args.height, args.width};
            const auto given = given_out(out, wanted.accepted, shape);
            const DeviceCall call({&images}, given);
            const DeviceArray result = call.output(given, shape, wanted.dtype);
            args.out = result.data;
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::image_normalize(args, call.stream());
            }
            check_cuda(error);
            return result.owner;
        },
        py::arg("images"), py::kw_only(), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
