#include "kernels/rle_iou/rle_iou.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_iou) {
    module.def(
        "rle_iou",
        [](const py::object& dt_counts, const py::object& dt_offsets, const py::object& dt_sizes,
           const py::object& gt_counts, const py::object& gt_offsets, const py::object& gt_sizes,
           const py::object& iscrowd_, bool strict, int num_threads) {
            const RleColumns dt(dt_counts, dt_offsets, dt_sizes, "dt_");
            const RleColumns gt(gt_counts, gt_offsets, gt_sizes, "gt_");
            RleIou args;
            args.dt = dt.view();
            args.gt = gt.view();
            const auto iscrowd = shaped_array<std::uint8_t>(iscrowd_, "iscrowd", {args.gt.count});
            args.iscrowd = iscrowd.data();
            args.strict = strict;
            args.threads = num_threads;
            Array<double> out(std::vector<py::ssize_t>{args.dt.count, args.gt.count});
            args.out = out.mutable_data();
            args.out_stride_dt = args.gt.count;
            without_gil([&] { return cpu::rle_iou(args); });
            return out;
        },
        py::arg("dt_counts"), py::arg("dt_offsets"), py::arg("dt_sizes"), py::arg("gt_counts"),
        py::arg("gt_offsets"), py::arg("gt_sizes"), py::arg("iscrowd"), py::kw_only(),
        py::arg("strict"), py::arg("num_threads"));
}

}  // namespace refpix::bind
