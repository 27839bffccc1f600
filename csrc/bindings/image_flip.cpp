#include "kernels/image_flip/image_flip.h"

#include "bindings/image_stack.h"

namespace refpix::bind {
namespace {

template <typename T>
py::object run(const py::object& images_, const Array<std::uint8_t>& flips, const py::object& out_,
               int num_threads) {
    const auto images = image_stack<T>(images_);
    ImageFlip args;
    args.images = reinterpret_cast<const std::uint8_t*>(images.data());
    args.count = images.shape(0);
    args.height = images.shape(1);
    args.width = images.shape(2);
    args.pixel_bytes = channels_of(images) * static_cast<std::int64_t>(sizeof(T));
    args.flips = flips.data();
    args.threads = num_threads;
    require(flips.shape(0) == args.count, "flips: expected one per image");
    auto out = stack_output(out_, images, args.height, args.width);
    args.out = reinterpret_cast<std::uint8_t*>(out.mutable_data());
    Status status;
    {
        py::gil_scoped_release release;
        status = cpu::image_flip(args);
    }
    raise_on_fault(status);
    return out;
}

}  // namespace

REFPIX_BINDING(image_flip) {
    module.def(
        "image_flip",
        [](const py::object& images, const py::object& flips_, const py::object& out,
           int num_threads) {
            const auto flips = array<std::uint8_t>(flips_, "flips", 1);
            return with_item_type(images, [&](auto item) {
                return run<decltype(item)>(images, flips, out, num_threads);
            });
        },
        py::arg("images"), py::arg("flips"), py::kw_only(), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
