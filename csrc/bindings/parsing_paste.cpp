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
            const auto boxes = shaped_array<float>(boxes_, "boxes", {-1, 4});
            const auto maps = shaped_array<std::uint8_t>(maps_, "maps", {boxes.shape(0), -1, -1});
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
            without_gil([&] { return cpu::parsing_paste(args); });
            return out;
        },
        py::arg("boxes"), py::arg("maps"), py::kw_only(), py::arg("size"), py::arg("out"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
