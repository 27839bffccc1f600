#include "kernels/image_color_jitter/image_color_jitter.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_color_jitter) {
    module.def(
        "image_color_jitter",
        [](const py::object& images_, const py::object& factors_, const py::object& orders_,
           const py::object& out, int /*num_threads*/) {
            const DeviceArray images =
                shaped_device_array(images_, "images", "u1", {-1, -1, -1, 3});
            const DeviceArray factors =
                shaped_device_array(factors_, "factors", "f8 f4", {images.shape[0], 4});
            DeviceArray orders;
            cuda::ImageColorJitterRun run;
            ImageColorJitter& args = run.args;
            args.images = packed<std::uint8_t>(images, "images");
            args.count = images.shape[0];
            args.height = images.shape[1];
            args.width = images.shape[2];
            args.factors = packed<void>(factors, "factors");
            args.double_factors = factors.type == "f8";
            if (!orders_.is_none()) {
                orders = shaped_device_array(orders_, "orders", "u1", {args.count, 4});
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
            call.launch(cuda::image_color_jitter, run);
            return result.owner;
        },
        py::arg("images"), py::arg("factors"), py::kw_only(), py::arg("orders"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
