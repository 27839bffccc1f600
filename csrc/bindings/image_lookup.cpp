#include "kernels/image_lookup/image_lookup.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_lookup) {
    module.def(
        "image_lookup",
        [](const py::object& images_, const py::object& tables_, const py::object& out_,
           int num_threads) {
            const ImageStack images = image_stack(images_, "u1");
            const bool each_channel = dimensions(tables_) == 3;
            const auto tables =
                shaped_array<std::uint8_t>(tables_, "tables",
                                           each_channel ? Shape{images.count, images.channels, 256}
                                                        : Shape{images.count, 256});
            ImageLookup args;
            args.images = images.data();
            args.count = images.count;
            args.item_bytes = images.item_bytes();
            args.tables = tables.data();
            args.channels = each_channel ? images.channels : 1;
            args.threads = num_threads;
            py::array out = stack_output(out_, images, images.height, images.width);
            args.out = static_cast<std::uint8_t*>(out.mutable_data());
            without_gil([&] { return cpu::image_lookup(args); });
            return out;
        },
        py::arg("images"), py::arg("tables"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
