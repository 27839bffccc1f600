#include "kernels/image_lookup/image_lookup.h"

#include "bindings/image_stack.h"

namespace refpix::bind {

REFPIX_BINDING(image_lookup) {
    module.def(
        "image_lookup",
        [](const py::object& images_, const py::object& tables_, const py::object& out_,
           int num_threads) {
            const auto images = byte_images(images_);
            const bool each_channel = py::isinstance<py::array>(tables_) &&
                                      py::reinterpret_borrow<py::array>(tables_).ndim() == 3;
            const auto tables = array<std::uint8_t>(tables_, "tables", each_channel ? 3 : 2);
            ImageLookup args;
            args.images = images.data();
            args.count = images.shape(0);
            args.item_bytes = item_size(images);
            args.tables = tables.data();
            args.channels = each_channel ? channels_of(images) : 1;
            require(tables.shape(0) == args.count && tables.shape(tables.ndim() - 1) == 256 &&
                        (!each_channel || tables.shape(1) == args.channels),
                    "tables: expected shape (n, 256) or (n, C, 256)");
            args.threads = num_threads;
            auto out = stack_output(out_, images, images.shape(1), images.shape(2));
            args.out = out.mutable_data();
            {
                py::gil_scoped_release release;
                cpu::image_lookup(args);
            }
            return out;
        },
        py::arg("images"), py::arg("tables"), py::kw_only(), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
