// What pycocotools.mask does, on COCO's dicts: the kernels' work in one call, no arrays in between.
#include <limits>

#include "bindings/coco_rles.h"
#include "bindings/rle_columns.h"
#include "kernels/bbox_iou/bbox_iou.h"
#include "kernels/rle_area/rle_area.h"
#include "kernels/rle_bbox/rle_bbox.h"
#include "kernels/rle_decode/rle_decode.h"
#include "kernels/rle_encode/rle_encode.h"
#include "kernels/rle_from_bbox/rle_from_bbox.h"
#include "kernels/rle_from_polygon/rle_from_polygon.h"
#include "kernels/rle_iou/rle_iou.h"
#include "kernels/rle_merge/rle_merge.h"

namespace refpix::bind {
namespace {

// Runs `work`, which gives a Status, without the GIL; then raises its fault.
template <typename Work>
void without_gil(Work&& work) {
    Status status;
    {
        py::gil_scoped_release release;
        status = work();
    }
    raise_on_fault(status);
}

// Parses, then works on the columns.
template <typename Work>
void on_masks(CocoRles& rles, int threads, Work&& work) {
    without_gil([&] {
        const Status status = rles.parse(threads);
        return status.ok() ? work(rles.view()) : status;
    });
}

py::object parse(const py::object& rles_, int num_threads) {
    CocoRles rles(rles_);
    on_masks(rles, num_threads, [](const Rles&) { return Status{}; });
    const Rles masks = rles.view();
    return py::make_tuple(Array<std::uint32_t>(masks.size, masks.counts),
                          Array<std::int64_t>(masks.count + 1, masks.offsets),
                          Array<std::int64_t>({masks.count, std::int64_t{2}}, masks.sizes));
}

py::object dicts(const py::object& counts, const py::object& offsets, const py::object& sizes,
                 int num_threads) {
    const RleColumns given(counts, offsets, sizes);
    const Rles masks = given.view();
    Ragged<std::uint32_t> items;
    without_gil([&] {
        Status status = masks.check();
        if (status.ok() && !items.resize(masks.count)) {
            status = {Fault::out_of_memory, -1, -1};
        }
        for (std::int64_t i = 0; status.ok() && i < masks.count; ++i) {
            const Rle mask = masks.item(i);
            if (!items.set(i, mask.counts, mask.runs)) {
                status = {Fault::out_of_memory, -1, -1};
            }
        }
        return status;
    });
    return coco_dicts(items, masks.sizes, num_threads);
}

Status one_size(const Rles& masks) noexcept {
    for (std::int64_t i = 1; i < masks.count; ++i) {
        if (masks.sizes[2 * i] != masks.sizes[0] || masks.sizes[2 * i + 1] != masks.sizes[1]) {
            return {Fault::rle_size_mismatch, i, -1};
        }
    }
    return {};
}

// Where decode writes: planes of (h, w), each of which is contiguous in one order or the other.
struct Planes {
    py::array array;
    std::int64_t stride = 0;  // from plane to plane, in bytes
    bool fortran = true;
};

// Zeros of the system's: pages without foreground are never touched.
Planes fresh_planes(std::int64_t height, std::int64_t width, std::int64_t count) {
    static PyObject* const zeros =
        py::object(py::module_::import("numpy").attr("zeros")).release().ptr();
    const py::object made = py::reinterpret_borrow<py::object>(zeros)(
        py::make_tuple(height, width, count), py::dtype::of<std::uint8_t>(), "F");
    return {py::reinterpret_borrow<py::array>(made), height * width, true};
}

Planes given_planes(const py::object& out, std::int64_t height, std::int64_t width,
                    std::int64_t count) {
    if (!py::isinstance<py::array>(out)) {
        throw py::type_error("out: expected a NumPy array");
    }
    const auto array = py::reinterpret_borrow<py::array>(out);
    if (!array.dtype().equal(py::dtype::of<std::uint8_t>()) &&
        !array.dtype().equal(py::dtype::of<bool>())) {
        throw py::type_error("out: expected dtype uint8 or bool, got " +
                             py::str(array.dtype()).cast<std::string>());
    }
    require(array.writeable(), "out: array is read-only");
    require((array.ndim() == 3 && array.shape(2) == count) || (array.ndim() == 2 && count == 1),
            "out: expected shape (height, width, masks), or (height, width) for one mask");
    require(
        array.shape(0) == height && array.shape(1) == width,
        "out: expected height and width " + std::to_string(height) + ", " + std::to_string(width));
    const std::int64_t stride = array.ndim() == 3 ? array.strides(2) : height * width;
    const std::int64_t y = array.strides(0);
    const std::int64_t x = array.strides(1);
    const bool fortran = (y == 1 || height == 1) && (x == height || width == 1);
    const bool c = (x == 1 || width == 1) && (y == width || height == 1);
    require(
        height * width * count == 0 || ((fortran || c) && (count == 1 || stride >= height * width)),
        "out: each mask must be contiguous, in C or Fortran order");
    return {array, stride, !c};
}

py::array decode(const py::object& rles_, const py::object& out, int num_threads) {
    CocoRles rles(rles_);
    require(rles.size() > 0, "no masks to decode: their size is unknown");
    std::vector<std::int64_t> offsets;
    on_masks(rles, num_threads, [&](const Rles& masks) {
        offsets.resize(static_cast<std::size_t>(masks.count) + 1);
        const Status status = one_size(masks);
        return status.ok() ? cpu::rle_decode_offsets(masks, offsets.data()) : status;
    });
    RleDecode args;
    args.masks = rles.view();
    const std::int64_t height = args.masks.sizes[0];
    const std::int64_t width = args.masks.sizes[1];
    const Planes planes = out.is_none() ? fresh_planes(height, width, args.masks.count)
                                        : given_planes(out, height, width, args.masks.count);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        offsets[i] = static_cast<std::int64_t>(i) * planes.stride;
    }
    args.fortran = planes.fortran;
    args.zeroed = out.is_none();
    args.threads = num_threads;
    args.offsets = offsets.data();
    args.out = static_cast<std::uint8_t*>(const_cast<void*>(planes.array.data()));
    without_gil([&] { return cpu::rle_decode(args); });
    return planes.array;
}

py::object encode(const py::object& masks_, int num_threads) {
    if (!py::isinstance<py::array>(masks_)) {
        throw py::type_error("expected a NumPy array of masks");
    }
    const auto masks = py::reinterpret_borrow<py::array>(masks_);
    require(
        masks.dtype().equal(py::dtype::of<std::uint8_t>()) ||
            masks.dtype().equal(py::dtype::of<bool>()),
        "masks: expected dtype uint8 or bool, got " + py::str(masks.dtype()).cast<std::string>());
    require(masks.ndim() == 3, "masks: expected shape (height, width, masks)");
    RleEncode args;
    args.masks = static_cast<const std::uint8_t*>(masks.data());
    args.height = masks.shape(0);
    args.width = masks.shape(1);
    args.count = masks.shape(2);
    args.stride_y = masks.strides(0);
    args.stride_x = masks.strides(1);
    args.stride_item = masks.strides(2);
    args.change = true;
    args.threads = num_threads;
    Ragged<std::uint32_t> counts;
    without_gil([&] { return cpu::rle_encode(args, &counts); });
    std::vector<std::int64_t> sizes;
    for (std::int64_t i = 0; i < counts.count(); ++i) {
        sizes.insert(sizes.end(), {args.height, args.width});
    }
    return coco_dicts(counts, sizes.data(), num_threads);
}

Array<std::uint32_t> area(const py::object& rles_, int num_threads) {
    CocoRles rles(rles_);
    std::vector<std::int64_t> areas(static_cast<std::size_t>(rles.size()));
    on_masks(rles, num_threads, [&](const Rles& masks) {
        Status status = cpu::rle_area({masks, num_threads, areas.data()});
        for (std::int64_t i = 0; status.ok() && i < masks.count; ++i) {
            if (areas[i] > std::numeric_limits<std::uint32_t>::max()) {
                status = {Fault::rle_area_overflow, i, -1};
            }
        }
        return status;
    });
    Array<std::uint32_t> out(rles.size());
    std::copy(areas.begin(), areas.end(), out.mutable_data());
    return out;
}

Array<double> bbox(const py::object& rles_, int num_threads) {
    CocoRles rles(rles_);
    std::vector<std::int64_t> boxes(static_cast<std::size_t>(4 * rles.size()));
    on_masks(rles, num_threads,
             [&](const Rles& masks) { return cpu::rle_bbox({masks, num_threads, boxes.data()}); });
    Array<double> out({rles.size(), std::int64_t{4}});
    std::copy(boxes.begin(), boxes.end(), out.mutable_data());
    return out;
}

py::object merge(const py::object& rles_, bool intersect, int num_threads) {
    CocoRles rles(rles_);
    const std::int64_t groups[] = {0, rles.size()};
    std::int64_t sizes[2] = {};
    Ragged<std::uint32_t> counts;
    on_masks(rles, num_threads, [&](const Rles& masks) {
        RleMerge args;
        args.masks = masks;
        args.groups = groups;
        args.group_count = 1;
        args.intersect = intersect;
        args.sizes = sizes;
        return cpu::rle_merge(args, &counts);
    });
    return coco_dicts(counts, sizes, 1)[0];
}

using IouMatrix = py::array_t<double, py::array::f_style>;

IouMatrix iou(const py::object& dt_, const py::object& gt_, const py::object& iscrowd_,
              int num_threads) {
    CocoRles dt(dt_);
    CocoRles gt(gt_);
    const auto iscrowd = array<std::uint8_t>(iscrowd_, "iscrowd", 1);
    require(iscrowd.size() == gt.size(), "iscrowd: expected one value per mask of gt");
    IouMatrix out({dt.size(), gt.size()});
    RleIou args;
    args.iscrowd = iscrowd.data();
    args.strict = false;
    args.threads = num_threads;
    args.out = out.mutable_data();
    args.out_stride_dt = 1;
    args.out_stride_gt = dt.size();
    without_gil([&] {
        Status status = dt.parse(num_threads);
        if (status.ok()) {
            status = gt.parse(num_threads);
            status.item += status.ok() ? 0 : dt.size();
        }
        if (status.ok()) {
            args.dt = dt.view();
            args.gt = gt.view();
            status = cpu::rle_iou(args);
        }
        return status;
    });
    return out;
}

IouMatrix box_iou(const py::object& dt_, const py::object& gt_, const py::object& iscrowd_,
                  int num_threads) {
    const auto dt = array<double>(dt_, "dt", 2);
    const auto gt = array<double>(gt_, "gt", 2);
    const auto iscrowd = array<std::uint8_t>(iscrowd_, "iscrowd", 1);
    require(dt.shape(1) == 4 && gt.shape(1) == 4, "boxes: expected shape (n, 4)");
    require(iscrowd.size() == gt.shape(0), "iscrowd: expected one value per box of gt");
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
    const auto boxes = array<double>(boxes_, "boxes", 2);
    require(boxes.shape(1) == 4, "boxes: expected shape (n, 4)");
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

REFPIX_BINDING(coco_masks) {
    const auto rles = py::arg("rles");
    const auto threads = py::arg("num_threads");
    module.def("coco_parse", parse, rles, py::kw_only(), threads);
    module.def("coco_dicts", dicts, py::arg("counts"), py::arg("offsets"), py::arg("sizes"),
               py::kw_only(), threads);
    module.def("coco_decode", decode, rles, py::kw_only(), py::arg("out"), threads);
    module.def("coco_encode", encode, py::arg("masks"), py::kw_only(), threads);
    module.def("coco_area", area, rles, py::kw_only(), threads);
    module.def("coco_bbox", bbox, rles, py::kw_only(), threads);
    module.def("coco_merge", merge, rles, py::kw_only(), py::arg("intersect"), threads);
    module.def("coco_iou", iou, py::arg("dt"), py::arg("gt"), py::arg("iscrowd"), py::kw_only(),
               threads);
    module.def("coco_box_iou", box_iou, py::arg("dt"), py::arg("gt"), py::arg("iscrowd"),
               py::kw_only(), threads);
    module.def("coco_from_polygons", from_polygons, py::arg("polygons"), py::arg("height"),
               py::arg("width"), py::kw_only(), threads);
    module.def("coco_from_boxes", from_boxes, py::arg("boxes"), py::arg("height"), py::arg("width"),
               py::kw_only(), threads);
}

}  // namespace refpix::bind
