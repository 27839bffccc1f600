#include "kernels/image_resize_normalize/image_resize_normalize.h"

#include "bindings/bind.h"
#include "bindings/image_options.h"

namespace refpix::bind {

REFPIX_BINDING(image_resize_normalize) {
    module.def(
        "image_resize_normalize",
        [](const py::object& pixels_, const py::object& offsets_, const py::object& sizes_,
           std::pair<std::int64_t, std::int64_t> out_size, const std::string& filter,
           const std::string& order, const py::object& mean, const py::object& std,
           const std::string& dtype, bool channels_last, const py::object& out, int num_threads) {
            const auto pixels = array<std::uint8_t>(pixels_, "pixels", 1);
            const auto sizes = shaped_array<std::int64_t>(sizes_, "sizes", {-1, 2});
            const auto offsets =
                shaped_array<std::int64_t>(offsets_, "offsets", {sizes.shape(0) + 1});
            ImageResizeNormalize args;
            args.resize.pixels = pixels.data();
            args.resize.size = pixels.size();
            args.resize.offsets = offsets.data();
            args.resize.sizes = sizes.data();
            args.resize.count = sizes.shape(0);
            args.resize.threads = num_threads;
            set_resize_options(args.resize, out_size, 3, filter, order);
            channel_values(mean, "mean", args.normalization.mean);
            channel_values(std, "std", args.normalization.std);
            args.normalization.type = normalize_type(dtype);
            args.normalization.channels_last = channels_last;
            auto result = normalized_output(out, args.normalization.type,
                                            normalized_shape(args.resize.count, out_size.first,
                                                             out_size.second, channels_last));
            args.normalization.out = result.mutable_data();
            without_gil([&] { return cpu::image_resize_normalize(args); });
            return result;
        },
        py::arg("pixels"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("filter"), py::arg("order"), py::arg("mean"), py::arg("std"), py::arg("dtype"),
        py::arg("channels_last"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
