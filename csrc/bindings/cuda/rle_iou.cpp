#include "kernels/rle_iou/rle_iou.h"

#include "bindings/cuda/device_rles.h"

namespace refpix::bind {

REFPIX_BINDING(rle_iou) {
    module.def(
        "rle_iou",
        [](const py::object& dt_counts, const py::object& dt_offsets, const py::object& dt_sizes,
           const py::object& gt_counts, const py::object& gt_offsets, const py::object& gt_sizes,
           const py::object& iscrowd_, bool strict, int /*num_threads*/) {
            const DeviceRles dt(dt_counts, dt_offsets, dt_sizes, "dt_");
            const DeviceRles gt(gt_counts, gt_offsets, gt_sizes, "gt_");
            const DeviceArray iscrowd =
                shaped_device_array(iscrowd_, "iscrowd", "u1", {gt.view.count});
            const DeviceCall call(
                {&dt.counts, &dt.offsets, &dt.sizes, &gt.counts, &gt.offsets, &gt.sizes, &iscrowd});
            const std::int64_t dt_runs = dt.view.size;
            const std::int64_t gt_runs = gt.view.size;
            const DeviceArray sums = call.allocate({2 * (dt_runs + gt_runs)}, "int64");
            const auto words = static_cast<std::int64_t>(sizeof(rle::Extent) / 8);
            const DeviceArray extents =
                call.allocate({7 + words * (dt.view.count + gt.view.count)}, "int64");
            const DeviceArray out = call.allocate({dt.view.count, gt.view.count}, "float64");
            cuda::RleIouRun run;
            run.args.dt = dt.view;
            run.args.gt = gt.view;
            run.args.iscrowd = packed<std::uint8_t>(iscrowd, "iscrowd");
            run.args.strict = strict;
            run.args.out = static_cast<double*>(out.data);
            run.dt_ends = static_cast<std::int64_t*>(sums.data);
            run.dt_areas = run.dt_ends + dt_runs;
            run.gt_ends = run.dt_areas + dt_runs;
            run.gt_areas = run.gt_ends + gt_runs;
            run.first_bad = static_cast<std::int64_t*>(extents.data);
            run.extents = reinterpret_cast<rle::Extent*>(run.first_bad + 7);
            run.fault = device_fault();
            call.launch(cuda::rle_iou, run);
            return out.owner;
        },
        py::arg("dt_counts"), py::arg("dt_offsets"), py::arg("dt_sizes"), py::arg("gt_counts"),
        py::arg("gt_offsets"), py::arg("gt_sizes"), py::arg("iscrowd"), py::kw_only(),
        py::arg("strict"), py::arg("num_threads"));
}

}  // namespace refpix::bind
