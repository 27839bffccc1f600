#include "kernels/rle_merge/rle_merge.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_merge) {
    module.def(
        "rle_merge",
        [](const py::object& counts, const py::object& offsets, const py::object& sizes,
           const py::object& groups_, bool intersect, int num_threads) {
            const RleColumns masks(counts, offsets, sizes);
            const auto groups = array<std::int64_t>(groups_, "groups", 1);
            require(groups.size() > 0, "groups: expected at least one");
            RleMerge args;
            args.masks = masks.view();
            args.groups = groups.data();
            args.group_count = groups.size() - 1;
            args.intersect = intersect;
            args.threads = num_threads;
            Array<std::int64_t> merged_sizes(std::vector<py::ssize_t>{args.group_count, 2});
            args.sizes = merged_sizes.mutable_data();
            Ragged<std::uint32_t> merged;
            without_gil([&] { return cpu::rle_merge(args, &merged); });
            return columns(merged, merged_sizes);
        },
        py::arg("counts"), py::arg("offsets"), py::arg("sizes"), py::arg("groups"), py::kw_only(),
        py::arg("intersect"), py::arg("num_threads"));
}

}  // namespace refpix::bind
