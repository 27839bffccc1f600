#include "kernels/balanced_select/balanced_select.h"

#include "bindings/bind.h"

namespace refpix::bind {
namespace {

py::array attribute_vectors(const py::object& object, AttributeType* type) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error("vectors: expected a NumPy array");
    }
    const auto vectors = py::reinterpret_borrow<py::array>(object);
    const py::dtype dtype = vectors.dtype();
    if (dtype.equal(py::dtype::of<std::uint8_t>()) || dtype.equal(py::dtype::of<bool>())) {
        *type = AttributeType::byte;
    } else if (dtype.equal(py::dtype::of<float>())) {
        *type = AttributeType::float32;
    } else if (dtype.equal(py::dtype::of<double>())) {
        *type = AttributeType::float64;
    } else {
        throw py::type_error("vectors: expected dtype bool, uint8, float32 or float64, got " +
                             py::str(dtype).cast<std::string>());
    }
    require(vectors.ndim() == 2,
            "vectors: expected 2 dimensions, got " + std::to_string(vectors.ndim()));
    require_plain(vectors, "vectors");
    return vectors;
}

}  // namespace

REFPIX_BINDING(balanced_select) {
    module.def(
        "balanced_select",
        [](const py::object& vectors_, const py::object& rows_, const py::object& offsets_,
           std::int64_t count, int num_threads) {
            BalancedSelect args;
            const py::array vectors = attribute_vectors(vectors_, &args.type);
            const auto rows = array<std::int64_t>(rows_, "rows", 1);
            const auto offsets = array<std::int64_t>(offsets_, "offsets", 1);
            require(offsets.shape(0) > 0, "offsets: expected at least one");
            require(count >= 0, "count: must not be negative");
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
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::balanced_select(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("vectors"), py::arg("rows"), py::arg("offsets"), py::kw_only(), py::arg("count"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
