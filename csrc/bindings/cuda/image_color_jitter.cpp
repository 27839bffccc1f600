#include "kernels/image_color_jitter/image_color_jitter.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_color_jitter) {
    module.def(
        "image_color_jitter",
        [](const py::object& images_, const py::object& factors_, const py::object& orders_,
           const py::object& out, int /*num_threads*/) {
            const DeviceArray images = rgb_images(images_);
            const DeviceArray factors = device_array(factors_, "factors", "f8 f4", 2);
            DeviceArray orders;
            cuda::ImageColorJitterRun run;
            ImageColorJitter& args = run.args;
            args.images = packed<std::uint8_t>(images, "images");
            args.count = images.shape[0];
            args.height = images.shape[1];
            args.width = images.shape[2];
            args.factors = packed<void>(factors, "factors");
            args.double_factors = factors.type == "f8";
            const std::vector<std::int64_t> four{args.count, 4};
            require(factors.shape == four, "factors: expected shape (n, 4)");
            if (!orders_.is_none()) {
                orders = device_array(orders_, "orders", "u1", 2);
                require(orders.shape == four, "orders: expected shape (n, 4)");
                args.orders = packed<std::uint8_t>(orders, "orders");
            }
            const auto given = given_apart(out, images, images.shape);
            const DeviceCall call({&images, &factors, &orders}, given);
            const DeviceArray result = call.output(given, images.shape, "uint8");
            const DeviceArray scratch = call.allocate({1 + args.count}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(scratch.data);
            run.sums = reinterpret_cast<unsigned long long*>(run.first_bad + 1);
            run.fault = device_fault();
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::image_color_jitter(run, call.stream());
            }
            check_cuda(error);
            return result.owner;
        },
        py::arg("images"), py::arg("factors"), py::kw_only(), py::arg("orders"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
