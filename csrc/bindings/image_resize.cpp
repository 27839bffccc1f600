#include "kernels/image_resize/image_resize.h"

#include "bindings/bind.h"
#include "bindings/image_options.h"

namespace refpix::bind {

REFPIX_BINDING(image_resize) {
    module.def(
        "image_resize",
        [](const py::object& pixels, const py::object& offsets, const py::object& sizes,
           std::pair<std::int64_t, std::int64_t> out_size, int channels, const std::string& filter,
           const std::string& order, const py::object& out, int num_threads) {
            const auto bytes = array<std::uint8_t>(pixels, "pixels", 1);
            const auto shapes = shaped_array<std::int64_t>(sizes, "sizes", {-1, 2});
            const auto starts =
                shaped_array<std::int64_t>(offsets, "offsets", {shapes.shape(0) + 1});
            ImageResize args;
            args.pixels = bytes.data();
            args.size = bytes.size();
            args.offsets = starts.data();
            args.sizes = shapes.data();
            args.count = shapes.shape(0);
            set_resize_options(args, out_size, channels, filter, order);
            args.threads = num_threads;
            auto result =
                output<std::uint8_t>(out, {args.count, args.out_height, args.out_width, channels});
            args.out = result.mutable_data();
            without_gil([&] { return cpu::image_resize(args); });
            return result;
        },
        py::arg("pixels"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("channels"), py::arg("filter"), py::arg("order"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
