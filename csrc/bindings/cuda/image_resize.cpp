#include "kernels/image_resize/image_resize.h"

#include "bindings/cuda/device_array.h"
#include "bindings/image_options.h"

namespace refpix::bind {
REFPIX_BINDING(image_resize) {
    module.def(
        "image_resize",
        [](const py::object& pixels_, const py::object& offsets_, const py::object& sizes_,
           std::pair<std::int64_t, std::int64_t> out_size, int channels, const std::string& filter,
           const std::string& order, const py::object& out, int /*num_threads*/) {
            const DeviceArray pixels = device_array(pixels_, "pixels", "u1", 1);
            const DeviceArray offsets = device_array(offsets_, "offsets", "i8", 1);
            const DeviceArray sizes = device_array(sizes_, "sizes", "i8", 2);
            cuda::ImageResizeRun run;
            ImageResize& args = run.args;
            args.pixels = packed<std::uint8_t>(pixels, "pixels");
            args.size = pixels.shape[0];
            args.offsets = packed<std::int64_t>(offsets, "offsets");
            args.sizes = packed<std::int64_t>(sizes, "sizes");
            args.count = sizes.shape[0];
            require(sizes.shape[1] == 2, "sizes: expected shape (n, 2)");
            require(offsets.shape[0] == args.count + 1, "offsets: expected n + 1 of them");
            set_resize_options(args, out_size, channels, filter, order);
            require(args.filter != ResizeFilter::lanczos,
                    "filter: lanczos is not available on a device");
            const std::vector<std::int64_t> shape{args.count, args.out_height, args.out_width,
                                                  args.channels};
            const auto given = given_out(out, "u1", shape);
            const DeviceCall call({&pixels, &offsets, &sizes}, given);
            const DeviceArray result = call.output(given, shape, "uint8");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::uint8_t*>(result.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::image_resize(run, call.stream());
            }
            check_cuda(error);
            return result.owner;
        },
        py::arg("pixels"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("channels"), py::arg("filter"), py::arg("order"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
