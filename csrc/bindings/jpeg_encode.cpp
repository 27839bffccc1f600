#include "kernels/jpeg_encode/jpeg_encode.h"

#include "bindings/columns.h"

namespace refpix::bind {

REFPIX_BINDING(jpeg_encode) {
    module.def(
        "jpeg_encode",
        [](const py::object& images_, int quality, const py::object& canvas,
           const py::object& positions_, int num_threads) {
            constexpr std::int64_t limit = 65500;  // libjpeg's JPEG_MAX_DIMENSION
            const auto images = array<std::uint8_t>(images_, "images", 4);
            JpegEncode args;
            args.images = images.data();
            args.count = images.shape(0);
            args.height = args.canvas_height = images.shape(1);
            args.width = args.canvas_width = images.shape(2);
            args.channels = images.shape(3);
            require(args.channels == 1 || args.channels == 3, "images: expected 1 or 3 channels");
            require(quality >= 1 && quality <= 100, "quality: expected 1 to 100");
            if (!canvas.is_none()) {
                const auto size = py::cast<std::pair<std::int64_t, std::int64_t>>(canvas);
                args.canvas_height = size.first;
                args.canvas_width = size.second;
            }
            require(args.canvas_height > 0 && args.canvas_width > 0 &&
                        args.canvas_height <= limit && args.canvas_width <= limit,
                    "images: sides must be 1 to 65500 pixels");
            Array<std::int64_t> positions;
            if (!positions_.is_none()) {
                positions = shaped_array<std::int64_t>(positions_, "positions", {args.count, 2});
                args.positions = positions.data();
            }
            args.quality = quality;
            args.threads = num_threads;
            Ragged<std::uint8_t> files;
            without_gil([&] { return cpu::jpeg_encode(args, &files); });
            return columns(files);
        },
        py::arg("images"), py::kw_only(), py::arg("quality"), py::arg("canvas"),
        py::arg("positions"), py::arg("num_threads"));
}

}  // namespace refpix::bind
