#include "kernels/bbox_iou/bbox_iou.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(bbox_iou) {
    module.def(
        "bbox_iou",
        [](const py::object& dt_, const py::object& gt_, const py::object& iscrowd_,
           int num_threads) {
            const auto dt = shaped_array<double>(dt_, "dt", {-1, 4});
            const auto gt = shaped_array<double>(gt_, "gt", {-1, 4});
            const auto iscrowd = shaped_array<std::uint8_t>(iscrowd_, "iscrowd", {gt.shape(0)});
            BboxIou args;
            args.dt = dt.data();
            args.dt_count = dt.shape(0);
            args.gt = gt.data();
            args.gt_count = gt.shape(0);
            args.iscrowd = iscrowd.data();
            args.threads = num_threads;
            Array<double> out({args.dt_count, args.gt_count});
            args.out = out.mutable_data();
            args.dt_stride = args.gt_count;
            args.gt_stride = 1;
            without_gil([&] { return cpu::bbox_iou(args); });
            return out;
        },
        py::arg("dt"), py::arg("gt"), py::arg("iscrowd"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
