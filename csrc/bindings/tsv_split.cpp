#include "kernels/tsv_split/tsv_split.h"

#include <pybind11/stl.h>

#include <numeric>
#include <vector>

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(tsv_split) {
    module.def(
        "tsv_split",
        [](const py::object& values, const py::object& spans_, const py::object& columns,
           bool allow_cr, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            const auto row_spans = array<std::int64_t>(spans_, "spans", 2);
            TsvSplit args;
            args.rows = spans(bytes, row_spans);
            args.allow_cr = allow_cr;
            args.threads = num_threads;
            std::vector<std::int64_t> wanted;
            if (!columns.is_none()) {
                wanted = columns.cast<std::vector<std::int64_t>>();
            } else if (args.rows.count > 0) {
                raise_on_fault(args.rows.check());
                wanted.resize(static_cast<std::size_t>(
                    cpu::tsv_column_count(args.rows.data(0), args.rows.length(0))));
                std::iota(wanted.begin(), wanted.end(), 0);
            }
            args.columns = wanted.data();
            args.column_count = static_cast<std::int64_t>(wanted.size());
            Array<std::int64_t> fields(
                std::vector<py::ssize_t>{args.rows.count, args.column_count, 2});
            args.fields = fields.mutable_data();
            without_gil([&] { return cpu::tsv_split(args); });
            return fields;
        },
        py::arg("values"), py::arg("spans"), py::kw_only(), py::arg("columns"), py::arg("allow_cr"),
        py::arg("num_threads"));
}

}  // namespace refpix::bind
