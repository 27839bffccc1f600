#include "kernels/confusion_matrix/confusion_matrix.h"

#include "bindings/bind.h"

namespace refpix::bind {
namespace {

// Labels of any shape with at least one axis; tells which of the two types they have.
py::array labels(const py::object& object, const char* name, bool* is_byte) {
    if (!py::isinstance<py::array>(object)) {
        throw py::type_error(std::string(name) + ": expected a NumPy array");
    }
    const auto given = py::reinterpret_borrow<py::array>(object);
    *is_byte = given.dtype().equal(py::dtype::of<std::uint8_t>());
    if (!*is_byte && !given.dtype().equal(py::dtype::of<std::int32_t>())) {
        throw py::type_error(std::string(name) + ": expected dtype uint8 or int32, got " +
                             py::str(given.dtype()).cast<std::string>());
    }
    require(given.ndim() > 0, std::string(name) + ": expected at least one axis");
    require_plain(given, name);
    return given;
}

}  // namespace

REFPIX_BINDING(confusion_matrix) {
    module.def(
        "confusion_matrix",
        [](const py::object& pred_, const py::object& gt_, std::int64_t num_labels,
           std::int64_t ignore, const py::object& out_, int num_threads) {
            ConfusionMatrix args;
            const py::array pred = labels(pred_, "pred", &args.pred_is_byte);
            const py::array gt = labels(gt_, "gt", &args.gt_is_byte);
            require(pred.ndim() == gt.ndim() &&
                        std::equal(pred.shape(), pred.shape() + pred.ndim(), gt.shape()),
                    "pred and gt: different shapes");
            require(num_labels > 0 && num_labels <= 32768, "num_labels: must be in 1..32768");
            args.pred = pred.data();
            args.gt = gt.data();
            args.pixels = gt.size();
            args.item_pixels = gt.size() > 0 ? gt.size() / gt.shape(0) : 1;
            args.num_labels = num_labels;
            args.ignore = ignore;
            args.threads = num_threads;
            auto out = output<std::int64_t>(out_, {num_labels, num_labels});
            args.out = out.mutable_data();
            Status status;
            {
                py::gil_scoped_release release;
                status = cpu::confusion_matrix(args);
            }
            raise_on_fault(status);
            return out;
        },
        py::arg("pred"), py::arg("gt"), py::kw_only(), py::arg("num_labels"), py::arg("ignore"),
        py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
