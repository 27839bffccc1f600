#include "kernels/image_crop/image_crop.h"

#include <pybind11/stl.h>

#include <optional>
#include <utility>

#include "bindings/crop_fill.h"
#include "bindings/image_stack.h"

namespace refpix::bind {
namespace {

template <typename T>
py::object run(const py::object& images_, const py::object& out_, std::optional<double> pad,
               ImageCrop args) {
    const auto images = image_stack<T>(images_);
    args.images = reinterpret_cast<const std::uint8_t*>(images.data());
    args.in_height = images.shape(1);
    args.in_width = images.shape(2);
    args.pixel_bytes = channels_of(images) * static_cast<std::int64_t>(sizeof(T));
    require(images.shape(0) == args.count, "corners: expected one per image");
    args.padded = pad.has_value();
    args.fill = crop_fill<T>(pad.value_or(0));
    auto out = stack_output(out_, images, args.height, args.width);
    args.out = reinterpret_cast<std::uint8_t*>(out.mutable_data());
    Status status;
    {
        py::gil_scoped_release release;
        status = cpu::image_crop(args);
    }
    raise_on_fault(status);
    return out;
}

}  // namespace

REFPIX_BINDING(image_crop) {
    module.def(
        "image_crop",
        [](const py::object& images, const py::object& corners_,
           std::pair<std::int64_t, std::int64_t> size, std::optional<double> pad,
           const py::object& out, int num_threads) {
            const auto corners = array<std::int64_t>(corners_, "corners", 2);
            require(corners.shape(1) == 2, "corners: expected shape (n, 2)");
            require(size.first > 0 && size.second > 0, "size: must be positive");
            ImageCrop args;
            args.corners = corners.data();
            args.count = corners.shape(0);
            args.height = size.first;
            args.width = size.second;
            args.threads = num_threads;
            return with_item_type(
                images, [&](auto item) { return run<decltype(item)>(images, out, pad, args); });
        },
        py::arg("images"), py::arg("corners"), py::kw_only(), py::arg("size"), py::arg("pad"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
