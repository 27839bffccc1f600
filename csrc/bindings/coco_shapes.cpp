// Boxes and polygons as pycocotools.mask takes them.
#include "bindings/coco_rles.h"
#include "kernels/bbox_iou/bbox_iou.h"
#include "kernels/rle_from_bbox/rle_from_bbox.h"
#include "kernels/rle_from_polygon/rle_from_polygon.h"

namespace refpix::bind {
namespace {

using IouMatrix = py::array_t<double, py::array::f_style>;

IouMatrix box_iou(const py::object& dt_, const py::object& gt_, const py::object& iscrowd_,
                  int num_threads) {
    const auto dt = shaped_array<double>(dt_, "dt", {-1, 4});
    const auto gt = shaped_array<double>(gt_, "gt", {-1, 4});
    const auto iscrowd = shaped_array<std::uint8_t>(iscrowd_, "iscrowd", {gt.shape(0)});
    IouMatrix out({dt.shape(0), gt.shape(0)});
    BboxIou args;
    args.dt = dt.data();
    args.dt_count = dt.shape(0);
    args.gt = gt.data();
    args.gt_count = gt.shape(0);
    args.iscrowd = iscrowd.data();
    args.threads = num_threads;
    args.out = out.mutable_data();
    args.dt_stride = 1;
    args.gt_stride = args.dt_count;
    without_gil([&] { return cpu::bbox_iou(args); });
    return out;
}

// Numbers of one polygon, appended. Floats take the short way; ints, NumPy's scalars and arrays are
// converted as Python would.
void append_polygon(const py::handle& polygon, std::int64_t item, std::vector<double>* to) {
    if (PyUnicode_Check(polygon.ptr()) || PyBytes_Check(polygon.ptr())) {
        throw py::type_error("item " + std::to_string(item) + ": a polygon is a list of numbers");
    }
    const auto numbers = py::reinterpret_steal<py::object>(PySequence_Tuple(polygon.ptr()));
    if (!numbers) {
        PyErr_Clear();
        throw py::type_error("item " + std::to_string(item) + ": a polygon is a list of numbers");
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(numbers.ptr()); ++i) {
        PyObject* number = PyTuple_GET_ITEM(numbers.ptr(), i);
        const double value =
            PyFloat_CheckExact(number) ? PyFloat_AS_DOUBLE(number) : PyFloat_AsDouble(number);
        if (value == -1 && PyErr_Occurred()) {
            PyErr_Clear();
            throw py::type_error("item " + std::to_string(item) +
                                 ": a polygon is a list of numbers");
        }
        to->push_back(value);
    }
}

std::vector<std::int64_t> equal_sizes(std::int64_t height, std::int64_t width, std::int64_t count) {
    std::vector<std::int64_t> sizes;
    for (std::int64_t i = 0; i < count; ++i) {
        sizes.insert(sizes.end(), {height, width});
    }
    return sizes;
}

py::object from_polygons(const py::object& polygons_, std::int64_t height, std::int64_t width,
                         int num_threads) {
    const py::list polygons(polygons_);
    std::vector<double> coordinates;
    std::vector<std::int64_t> offsets{0};
    for (std::size_t i = 0; i < polygons.size(); ++i) {  // its length may change on the way
        append_polygon(polygons[i], static_cast<std::int64_t>(i), &coordinates);
        offsets.push_back(static_cast<std::int64_t>(coordinates.size()));
    }
    RleFromPolygon args;
    args.coordinates = coordinates.data();
    args.size = offsets.back();
    args.offsets = offsets.data();
    args.count = static_cast<std::int64_t>(offsets.size()) - 1;
    const auto sizes = equal_sizes(height, width, args.count);
    args.sizes = sizes.data();
    args.threads = num_threads;
    Ragged<std::uint32_t> counts;
    without_gil([&] { return cpu::rle_from_polygon(args, &counts); });
    return coco_dicts(counts, sizes.data(), num_threads);
}

py::object from_boxes(const py::object& boxes_, std::int64_t height, std::int64_t width,
                      int num_threads) {
    const auto boxes = shaped_array<double>(boxes_, "boxes", {-1, 4});
    const auto sizes = equal_sizes(height, width, boxes.shape(0));
    RleFromBbox args;
    args.boxes = boxes.data();
    args.count = boxes.shape(0);
    args.sizes = sizes.data();
    args.threads = num_threads;
    Ragged<std::uint32_t> counts;
    without_gil([&] { return cpu::rle_from_bbox(args, &counts); });
    return coco_dicts(counts, sizes.data(), num_threads);
}

}  // namespace

REFPIX_BINDING(coco_shapes) {
    const auto threads = py::arg("num_threads");
    module.def("coco_box_iou", box_iou, py::arg("dt"), py::arg("gt"), py::arg("iscrowd"),
               py::kw_only(), threads);
    module.def("coco_from_polygons", from_polygons, py::arg("polygons"), py::arg("height"),
               py::arg("width"), py::kw_only(), threads);
    module.def("coco_from_boxes", from_boxes, py::arg("boxes"), py::arg("height"), py::arg("width"),
               py::kw_only(), threads);
}

}  // namespace refpix::bind
