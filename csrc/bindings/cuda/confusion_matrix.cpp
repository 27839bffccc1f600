#include "kernels/confusion_matrix/confusion_matrix.h"

#include "bindings/cuda/device_array.h"

namespace refpix::bind {

REFPIX_BINDING(confusion_matrix) {
    module.def(
        "confusion_matrix",
        [](const py::object& pred_, const py::object& gt_, std::int64_t num_labels,
           std::int64_t ignore, const py::object& out_, int /*num_threads*/) {
            const DeviceArray pred = device_array(pred_, "pred", "u1 i4", -1);
            const DeviceArray gt = device_array(gt_, "gt", "u1 i4", -1);
            require(pred.shape == gt.shape, "pred and gt: different shapes");
            require(num_labels > 0 && num_labels <= 32768, "num_labels: must be in 1..32768");
            cuda::ConfusionMatrixRun run;
            ConfusionMatrix& args = run.args;
            args.pred = packed<void>(pred, "pred");
            args.gt = packed<void>(gt, "gt");
            args.pred_is_byte = pred.type == "u1";
            args.gt_is_byte = gt.type == "u1";
            args.pixels = gt.size();
            args.item_pixels = gt.size() > 0 ? gt.size() / gt.shape[0] : 1;
            args.num_labels = num_labels;
            args.ignore = ignore;
            const Shape shape{num_labels, num_labels};
            const auto given = given_out(out_, "i8", shape);
            const DeviceCall call({&pred, &gt}, given);
            const DeviceArray out = call.output(given, shape, "int64");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::int64_t*>(out.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            call.launch(cuda::confusion_matrix, run);
            return out.owner;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("num_labels"), py::arg("ignore"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
