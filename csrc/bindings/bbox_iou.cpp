#include "kernels/bbox_iou/bbox_iou.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(bbox_iou) {
    module.def(
        "bbox_iou",
        [](const py::object& dt_, const py::object& gt_, const py::object& iscrowd_,
           int num_threads) {
            const auto dt = array<double>(dt_, "dt", 2);
            const auto gt = array<double>(gt_, "gt", 2);
            const auto iscrowd = array<std::uint8_t>(iscrowd_, "iscrowd", 1);
            require(dt.shape(1) == 4, "dt: expected shape (m, 4)");
            require(gt.shape(1) == 4, "gt: expected shape (n, 4)");
            require(iscrowd.size() == gt.shape(0), "iscrowd: expected one value per box of gt");
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
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::bbox_iou(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("dt"), py::arg("gt"), py::arg("iscrowd"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
