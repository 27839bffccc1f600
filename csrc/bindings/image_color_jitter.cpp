#include "kernels/image_color_jitter/image_color_jitter.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_color_jitter) {
    module.def(
        "image_color_jitter",
        [](const py::object& images_, const py::object& factors_, const py::object& orders_,
           const py::object& out_, int num_threads) {
            const auto images = shaped_array<std::uint8_t>(images_, "images", {-1, -1, -1, 3});
            ImageColorJitter args;
            args.images = images.data();
            args.count = images.shape(0);
            args.height = images.shape(1);
            args.width = images.shape(2);
            const py::array factors = array(factors_, "factors", "f8 f4", 2);
            require_shape(shape_of(factors), {args.count, 4}, "factors");
            args.factors = factors.data();
            args.double_factors = factors.itemsize() == sizeof(double);
            Array<std::uint8_t> orders;
            if (!orders_.is_none()) {
                orders = shaped_array<std::uint8_t>(orders_, "orders", {args.count, 4});
                args.orders = orders.data();
            }
            args.threads = num_threads;
            py::array out = output_apart(out_, images, "images", "u1", shape_of(images));
            args.out = static_cast<std::uint8_t*>(out.mutable_data());
            without_gil([&] { return cpu::image_color_jitter(args); });
            return out;
        },
        py::arg("images"), py::arg("factors"), py::kw_only(), py::arg("orders"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
