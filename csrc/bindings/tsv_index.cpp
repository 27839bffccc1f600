#include "kernels/tsv_index/tsv_index.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(tsv_index) {
    module.def(
        "tsv_index",
        [](const py::object& values, int num_threads) {
            const auto bytes = array<std::uint8_t>(values, "values", 1);
            TsvRowEnds ends;
            const TsvIndex args{bytes.data(), bytes.size(), num_threads, &ends};
            without_gil([&] { return cpu::tsv_index(args); });
            Array<std::int64_t> offsets(ends.count() + 1);
            offsets.mutable_data()[0] = 0;
            ends.copy_to(offsets.mutable_data() + 1);
            return offsets;
        },
        py::arg("values"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
