#include "kernels/label_zoom/label_zoom.h"

#include "bindings/bind.h"
#include "bindings/label_options.h"

namespace refpix::bind {

REFPIX_BINDING(label_zoom) {
    module.def(
        "label_zoom",
        [](const py::object& values_, const py::object& offsets_, const py::object& sizes_,
           const std::pair<std::int64_t, std::int64_t>& out_size, const std::string& rule,
           const py::object& out_, int num_threads) {
            LabelZoom args;
            const py::array values = array(values_, "values", "u1 i2 i4 i8", 1);
            const auto sizes = shaped_array<std::int64_t>(sizes_, "sizes", {-1, 2});
            const auto offsets =
                shaped_array<std::int64_t>(offsets_, "offsets", {sizes.shape(0) + 1});
            require_size(out_size, "out_size");
            args.type = label_type(type_of(values));
            args.values = values.data();
            args.size = values.size();
            args.offsets = offsets.data();
            args.sizes = sizes.data();
            args.count = sizes.shape(0);
            args.height = out_size.first;
            args.width = out_size.second;
            args.rule = zoom_rule(rule);
            args.threads = num_threads;
            auto out = output<std::int32_t>(out_, {args.count, args.height, args.width});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::label_zoom(args); });
            return out;
        },
        py::arg("values"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("rule"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
