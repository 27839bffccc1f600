#include "kernels/parsing_paste/parsing_paste.h"

#include "bindings/bind.h"
#include "bindings/label_options.h"

namespace refpix::bind {

REFPIX_BINDING(parsing_paste) {
    module.def(
        "parsing_paste",
        [](const py::object& boxes_, const py::object& maps_,
           const std::pair<std::int64_t, std::int64_t>& size, const py::object& out_,
           int num_threads) {
            const auto boxes = array<float>(boxes_, "boxes", 2);
            const auto maps = array<std::uint8_t>(maps_, "maps", 3);
            require(boxes.shape(1) == 4, "boxes: expected shape (n, 4)");
            require(boxes.shape(0) == maps.shape(0), "boxes and maps: different numbers of items");
            require(maps.shape(1) > 0 && maps.shape(2) > 0, "maps: must have pixels");
            require(maps.shape(2) <= INT32_MAX, "maps: too wide");
            require_size(size, "size");
            ParsingPaste args;
            args.boxes = boxes.data();
            args.maps = maps.data();
            args.count = maps.shape(0);
            args.map_height = maps.shape(1);
            args.map_width = maps.shape(2);
            args.height = size.first;
            args.width = size.second;
            args.threads = num_threads;
            auto out = output<std::uint8_t>(out_, {args.count, args.height, args.width});
            args.out = out.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::parsing_paste(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("boxes"), py::arg("maps"), py::kw_only(), py::arg("size"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
