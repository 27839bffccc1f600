#include "kernels/label_zoom/label_zoom.h"

#include "bindings/bind.h"
#include "bindings/label_options.h"

namespace refpix::bind {
namespace {

py::array labels(const py::object& object, LabelType* type) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error("values: expected a NumPy array");
    }
    const auto given = py::reinterpret_borrow<py::array>(object);
    const py::dtype dtype = given.dtype();
    if (dtype.equal(py::dtype::of<std::uint8_t>())) {
        *type = LabelType::uint8;
    } else if (dtype.equal(py::dtype::of<std::int16_t>())) {
        *type = LabelType::int16;
    } else if (dtype.equal(py::dtype::of<std::int32_t>())) {
        *type = LabelType::int32;
    } else if (dtype.equal(py::dtype::of<std::int64_t>())) {
        *type = LabelType::int64;
    } else {
        throw py::type_error("values: expected dtype uint8, int16, int32 or int64, got " +
                             py::str(dtype).cast<std::string>());
    }
    require(given.ndim() == 1,
            "values: expected 1 dimensions, got " + std::to_string(given.ndim()));
    require_plain(given, "values");
    return given;
}

}  // namespace

REFPIX_BINDING(label_zoom) {
    module.def(
        "label_zoom",
        [](const py::object& values_, const py::object& offsets_, const py::object& sizes_,
           const std::pair<std::int64_t, std::int64_t>& out_size, const std::string& rule,
           const py::object& out_, int num_threads) {
            LabelZoom args;
            const py::array values = labels(values_, &args.type);
            const auto offsets = array<std::int64_t>(offsets_, "offsets", 1);
            const auto sizes = array<std::int64_t>(sizes_, "sizes", 2);
            require(sizes.shape(1) == 2, "sizes: expected shape (n, 2)");
            require(offsets.shape(0) == sizes.shape(0) + 1,
                    "offsets: expected one more than sizes");
            require_size(out_size, "out_size");
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
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::label_zoom(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("values"), py::arg("offsets"), py::arg("sizes"), py::kw_only(), py::arg("out_size"),
        py::arg("rule"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
