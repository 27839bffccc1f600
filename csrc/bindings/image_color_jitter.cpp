#include "kernels/image_color_jitter/image_color_jitter.h"

#include "bindings/image_stack.h"

namespace refpix::bind {
REFPIX_BINDING(image_color_jitter) {
    module.def(
        "image_color_jitter",
        [](const py::object& images_, const py::object& factors_, const py::object& orders_,
           const py::object& out_, int num_threads) {
            const auto images = rgb_images(images_);
            ImageColorJitter args;
            args.images = images.data();
            args.count = images.shape(0);
            args.height = images.shape(1);
            args.width = images.shape(2);
            const py::array factors = floats(factors_, "factors", 2);
            require(factors.shape(0) == args.count && factors.shape(1) == 4,
                    "factors: expected shape (n, 4)");
            args.factors = factors.data();
            args.double_factors = factors.itemsize() == sizeof(double);
            Array<std::uint8_t> orders;
            if (!orders_.is_none()) {
                orders = array<std::uint8_t>(orders_, "orders", 2);
                require(orders.shape(0) == args.count && orders.shape(1) == 4,
                        "orders: expected shape (n, 4)");
                args.orders = orders.data();
            }
            args.threads = num_threads;
            auto out = stack_output(out_, images, args.height, args.width);
            args.out = out.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::image_color_jitter(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("images"), py::arg("factors"), py::kw_only(), py::arg("orders"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
