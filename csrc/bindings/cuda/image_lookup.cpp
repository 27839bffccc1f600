#include "kernels/image_lookup/image_lookup.h"

#include "bindings/cuda/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_lookup) {
    module.def(
        "image_lookup",
        [](const py::object& images_, const py::object& tables_, const py::object& out,
           int /*num_threads*/) {
            const ImageStack images = image_stack(images_, "u1");
            const bool each_channel = device_dimensions(tables_) == 3;
            const DeviceArray tables =
                shaped_device_array(tables_, "tables", "u1",
                                    each_channel ? Shape{images.count, images.channels, 256}
                                                 : Shape{images.count, 256});
            ImageLookup args;
            args.images = packed<std::uint8_t>(images.array, "images");
            args.count = images.count;
            args.item_bytes = images.item_bytes();
            args.tables = packed<std::uint8_t>(tables, "tables");
            args.channels = each_channel ? images.channels : 1;
            const auto given = given_apart(out, images.array, images.array.shape);
            const DeviceCall call({&images.array, &tables}, given);
            const DeviceArray result = call.output(given, images.array.shape, "uint8");
            args.out = static_cast<std::uint8_t*>(result.data);
            call.launch(cuda::image_lookup, args);
            return result.owner;
        },
        py::arg("images"), py::arg("tables"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
