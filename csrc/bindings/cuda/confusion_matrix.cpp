#include "kernels/confusion_matrix/confusion_matrix.h"

#include "bindings/cuda/device_array.h"

namespace refpix::bind {
namespace {

// Labels of any shape with at least one axis.
DeviceArray labels(const py::object& object, const char* name) {
    int axes = 1;
    if (py::hasattr(object, "__cuda_array_interface__")) {
        axes = static_cast<int>(py::len(object.attr("__cuda_array_interface__")["shape"]));
    }
    require(axes > 0, std::string(name) + ": expected at least one axis");
    return device_array(object, name, "u1 i4", axes);
}

}  // namespace

REFPIX_BINDING(confusion_matrix) {
    module.def(
        "confusion_matrix",
        [](const py::object& pred_, const py::object& gt_, std::int64_t num_labels,
           std::int64_t ignore, const py::object& out_, int /*num_threads*/) {
            const DeviceArray pred = labels(pred_, "pred");
            const DeviceArray gt = labels(gt_, "gt");
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
            const std::vector<std::int64_t> shape{num_labels, num_labels};
            const auto given = given_out(out_, "i8", shape);
            const DeviceCall call({&pred, &gt}, given);
            const DeviceArray out = call.output(given, shape, "int64");
            const DeviceArray first_bad = call.allocate({1}, "int64");
            args.out = static_cast<std::int64_t*>(out.data);
            run.first_bad = static_cast<std::int64_t*>(first_bad.data);
            run.fault = device_fault();
            int error = 0;
            {
                py::gil_scoped_release release;
                error = cuda::confusion_matrix(run, call.stream());
            }
            check_cuda(error);
            return out.owner;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("num_labels"), py::arg("ignore"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
