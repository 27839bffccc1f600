#include "kernels/image_resize_opencv/image_resize_opencv.h"

#include <algorithm>
#include <limits>

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(image_resize_opencv) {
    module.def(
        "image_resize_opencv",
        [](const py::object& images_, std::pair<std::int64_t, std::int64_t> size,
           const py::object& out_, int num_threads) {
            const auto images = array<std::uint8_t>(images_, "images", 4);
            ImageResizeOpencv args;
            args.images = images.data();
            args.count = images.shape(0);
            args.height = images.shape(1);
            args.width = images.shape(2);
            args.channels = images.shape(3);
            args.out_height = size.first;
            args.out_width = size.second;
            require(args.height > 0 && args.width > 0, "images: height and width must be positive");
            require(size.first > 0 && size.second > 0, "size: height and width must be positive");
            // Places of samples in a row, and rows, are kept in 32 bits.
            constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max() / 2;
            require(args.height <= most && args.channels <= most &&
                        args.width <= most / std::max<std::int64_t>(args.channels, 1),
                    "images: too large");
            require(size.first <= most && size.second <= most, "size: too large");
            args.threads = num_threads;
            auto out = output<std::uint8_t>(
                out_, {args.count, args.out_height, args.out_width, args.channels});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::image_resize_opencv(args); });
            return out;
        },
        py::arg("images"), py::kw_only(), py::arg("size"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
