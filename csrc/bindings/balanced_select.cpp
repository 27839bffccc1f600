#include "kernels/balanced_select/balanced_select.h"

#include "bindings/bind.h"

namespace refpix::bind {
namespace {

AttributeType attribute_type(const std::string& type) {
    return type == "f4"   ? AttributeType::float32
           : type == "f8" ? AttributeType::float64
                          : AttributeType::byte;
}

}  // namespace

REFPIX_BINDING(balanced_select) {
    module.def(
        "balanced_select",
        [](const py::object& vectors_, const py::object& rows_, const py::object& offsets_,
           std::int64_t count, int num_threads) {
            BalancedSelect args;
            const py::array vectors = array(vectors_, "vectors", "b1 u1 f4 f8", 2);
            const auto rows = array<std::int64_t>(rows_, "rows", 1);
            const auto offsets = array<std::int64_t>(offsets_, "offsets", 1);
            require(offsets.shape(0) > 0, "offsets: expected at least one");
            require(count >= 0, "count: must not be negative");
            args.type = attribute_type(type_of(vectors));
            args.vectors = vectors.data();
            args.vectors_count = vectors.shape(0);
            args.width = vectors.shape(1);
            args.rows = rows.data();
            args.rows_count = rows.shape(0);
            args.offsets = offsets.data();
            args.classes = offsets.shape(0) - 1;
            args.count = count;
            args.threads = num_threads;
            // Before memory for the picks is asked for: no more can be picked than there are.
            if (args.classes > 0 && count > args.rows_count) {
                raise_on_fault({Fault::selection_too_few, 0, -1});
            }
            Array<std::int64_t> out({args.classes, count});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::balanced_select(args); });
            return out;
        },
        py::arg("vectors"), py::arg("rows"), py::arg("offsets"), py::kw_only(), py::arg("count"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
