#include "kernels/confusion_matrix/confusion_matrix.h"

#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(confusion_matrix) {
    module.def(
        "confusion_matrix",
        [](const py::object& pred_, const py::object& gt_, std::int64_t num_labels,
           std::int64_t ignore, const py::object& out_, int num_threads) {
            ConfusionMatrix args;
            const py::array pred = array(pred_, "pred", "u1 i4", -1);
            const py::array gt = array(gt_, "gt", "u1 i4", -1);
            require(shape_of(pred) == shape_of(gt), "pred and gt: different shapes");
            require(num_labels > 0 && num_labels <= 32768, "num_labels: must be in 1..32768");
            args.pred = pred.data();
            args.pred_is_byte = pred.itemsize() == 1;
            args.gt_is_byte = gt.itemsize() == 1;
            args.gt = gt.data();
            args.pixels = gt.size();
            args.item_pixels = gt.size() > 0 ? gt.size() / gt.shape(0) : 1;
            args.num_labels = num_labels;
            args.ignore = ignore;
            args.threads = num_threads;
            auto out = output<std::int64_t>(out_, {num_labels, num_labels});
            args.out = out.mutable_data();
            without_gil([&] { return cpu::confusion_matrix(args); });
            return out;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("num_labels"), py::arg("ignore"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
