// What pycocotools.mask does, on COCO's dicts: the kernels' work in one call, no arrays in between.
#include <algorithm>
#include <iterator>
#include <limits>

#include "bindings/coco_rles.h"
#include "bindings/fast_call.h"
#include "bindings/rle_columns.h"
#include "kernels/rle_area/rle_area.h"
#include "kernels/rle_bbox/rle_bbox.h"
#include "kernels/rle_decode/rle_decode.h"
#include "kernels/rle_encode/rle_encode.h"
#include "kernels/rle_iou/rle_iou.h"
#include "kernels/rle_merge/rle_merge.h"

namespace refpix::bind {
namespace {

int threads_argument(PyObject* object) {
    return static_cast<int>(std::clamp(integer_argument(object), 1LL, 1LL << 20));
}

// Parses, then works on the columns.
template <typename Work>
void on_masks(CocoRles& rles, int threads, Work&& work) {
    const auto all = [&] {
        const Status status = rles.parse(threads);
        return status.ok() ? work(rles.view()) : status;
    };
    if (rles.small()) {
        raise_on_fault(all());
    } else {
        without_gil(all);
    }
}

py::object parse(FastArguments given) {
    CocoRles rles(given[0]);
    on_masks(rles, threads_argument(given[1]), [](const Rles&) { return Status{}; });
    const Rles masks = rles.view();
    return py::make_tuple(Array<std::uint32_t>(masks.size, masks.counts),
                          Array<std::int64_t>(masks.count + 1, masks.offsets),
                          Array<std::int64_t>({masks.count, std::int64_t{2}}, masks.sizes));
}

py::object dicts(FastArguments given) {
    const auto argument = [&](int i) { return py::reinterpret_borrow<py::object>(given[i]); };
    const RleColumns columns(argument(0), argument(1), argument(2));
    raise_on_fault(columns.view().check());
    return coco_dicts(columns.view(), threads_argument(given[3]));
}

py::object recode(FastArguments given) {
    CocoRles rles(given[0]);
    const int threads = threads_argument(given[1]);
    on_masks(rles, threads, [](const Rles&) { return Status{}; });
    return coco_dicts(rles.view(), threads);
}

Status one_size(const Rles& masks) noexcept {
    for (std::int64_t i = 1; i < masks.count; ++i) {
        if (masks.sizes[2 * i] != masks.sizes[0] || masks.sizes[2 * i + 1] != masks.sizes[1]) {
            return {Fault::rle_size_mismatch, i, -1};
        }
    }
    return {};
}

bool is_bytes_or_bools(const py::array& array) {
    const char kind = array.dtype().kind();
    return array.itemsize() == 1 && (kind == 'u' || kind == 'b');
}

// Where decode writes: planes of (h, w), each of which is contiguous in one order or the other.
struct Planes {
    py::array array;
    std::int64_t stride = 0;  // from plane to plane, in bytes
    bool fortran = true;
};

// Zeros of the system's: pages without foreground are never touched. Two dimensions if `flat`.
Planes fresh_planes(std::int64_t height, std::int64_t width, std::int64_t count, bool flat) {
    static PyObject* const zeros =
        py::object(py::module_::import("numpy").attr("zeros")).release().ptr();
    static PyObject* const byte = py::dtype::of<std::uint8_t>().release().ptr();
    static PyObject* const order = PyUnicode_InternFromString("F");
    py::object shape = py::make_tuple(height, width, count);
    if (flat) {
        shape = py::make_tuple(height, width);
    }
    PyObject* arguments[] = {shape.ptr(), byte, order};
    auto made = py::reinterpret_steal<py::array>(
        PyObject_Vectorcall(zeros, arguments, std::size(arguments), nullptr));
    if (!made) {
        throw py::error_already_set();
    }
    return {std::move(made), height * width, true};
}

Planes given_planes(const py::handle& out, std::int64_t height, std::int64_t width,
                    std::int64_t count) {
    if (!py::isinstance<py::array>(out)) {
        throw py::type_error("out: expected a NumPy array");
    }
    const auto array = py::reinterpret_borrow<py::array>(out);
    if (!is_bytes_or_bools(array)) {
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

// One mask for a dict, else (height, width, masks).
py::object decode(FastArguments given) {
    const bool single = PyDict_Check(given[0]);
    const py::object listed = single ? py::object(py::make_tuple(py::handle(given[0])))
                                     : py::reinterpret_borrow<py::object>(given[0]);
    const int threads = threads_argument(given[2]);
    CocoRles rles(listed);
    require(rles.size() > 0, "no masks to decode: their size is unknown");
    std::vector<std::int64_t> offsets(static_cast<std::size_t>(rles.size()) + 1);
    on_masks(rles, threads, [&](const Rles& masks) {
        const Status status = one_size(masks);
        return status.ok() ? cpu::rle_decode_offsets(masks, offsets.data()) : status;
    });
    RleDecode args;
    args.masks = rles.view();
    args.zeroed = given[1] == Py_None;
    const std::int64_t height = args.masks.sizes[0];
    const std::int64_t width = args.masks.sizes[1];
    const Planes planes = args.zeroed ? fresh_planes(height, width, args.masks.count, single)
                                      : given_planes(given[1], height, width, args.masks.count);
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        offsets[i] = static_cast<std::int64_t>(i) * planes.stride;
    }
    args.fortran = planes.fortran;
    args.threads = threads;
    args.offsets = offsets.data();
    args.out = static_cast<std::uint8_t*>(const_cast<void*>(planes.array.data()));
    without_gil([&] { return cpu::rle_decode(args); });
    return planes.array;
}

// A dict for (height, width), else a list for (height, width, masks).
py::object encode(FastArguments given) {
    if (!py::isinstance<py::array>(given[0])) {
        throw py::type_error(std::string("expected a NumPy array of masks, got ") +
                             Py_TYPE(given[0])->tp_name);
    }
    const auto masks = py::reinterpret_borrow<py::array>(given[0]);
    if (!is_bytes_or_bools(masks)) {
        throw py::value_error("masks: expected dtype uint8 or bool, got " +
                              py::str(masks.dtype()).cast<std::string>());
    }
    require(masks.ndim() == 2 || masks.ndim() == 3,
            "masks: expected shape (height, width) or (height, width, masks)");
    const bool single = masks.ndim() == 2;
    RleEncode args;
    args.masks = static_cast<const std::uint8_t*>(masks.data());
    args.height = masks.shape(0);
    args.width = masks.shape(1);
    args.count = single ? 1 : masks.shape(2);
    args.stride_y = masks.strides(0);
    args.stride_x = masks.strides(1);
    args.stride_item = single ? 0 : masks.strides(2);
    args.change = true;
    args.threads = threads_argument(given[1]);
    Ragged<std::uint32_t> counts;
    without_gil([&] { return cpu::rle_encode(args, &counts); });
    std::vector<std::int64_t> sizes;
    sizes.reserve(static_cast<std::size_t>(2 * counts.count()));
    for (std::int64_t i = 0; i < counts.count(); ++i) {
        sizes.insert(sizes.end(), {args.height, args.width});
    }
    const py::list made = coco_dicts(counts, sizes.data(), args.threads);
    return single ? py::object(made[0]) : py::object(made);
}

py::object area(FastArguments given) {
    CocoRles rles(given[0]);
    const int threads = threads_argument(given[1]);
    std::vector<std::int64_t> areas(static_cast<std::size_t>(rles.size()));
    on_masks(rles, threads, [&](const Rles& masks) {
        Status status = cpu::rle_area({masks, threads, areas.data()});
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

py::object bbox(FastArguments given) {
    CocoRles rles(given[0]);
    const int threads = threads_argument(given[1]);
    std::vector<std::int64_t> boxes(static_cast<std::size_t>(4 * rles.size()));
    on_masks(rles, threads,
             [&](const Rles& masks) { return cpu::rle_bbox({masks, threads, boxes.data()}); });
    Array<double> out({rles.size(), std::int64_t{4}});
    std::copy(boxes.begin(), boxes.end(), out.mutable_data());
    return out;
}

// As C takes it, so that 0.5 is no.
bool flag(PyObject* object, const char* name) {
    if (!PyNumber_Check(object)) {
        throw py::type_error(std::string(name) + ": expected a flag, 0 or 1");
    }
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Long(object));
    if (!number) {
        throw py::error_already_set();
    }
    return PyObject_IsTrue(number.ptr()) == 1;
}

py::object merge(FastArguments given) {
    CocoRles rles(given[0]);
    const std::int64_t groups[] = {0, rles.size()};
    std::int64_t sizes[2] = {};
    Ragged<std::uint32_t> counts;
    const bool intersect = flag(given[1], "intersect");
    on_masks(rles, 1, [&](const Rles& masks) {
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

py::object iou(FastArguments given) {
    CocoRles dt(given[0]);
    CocoRles gt(given[1], dt.size());
    const auto iscrowd =
        array<std::uint8_t>(py::reinterpret_borrow<py::object>(given[2]), "iscrowd", 1);
    require(iscrowd.size() == gt.size(), "iscrowd: expected one value per mask of gt");
    py::array_t<double, py::array::f_style> out({dt.size(), gt.size()});
    RleIou args;
    args.iscrowd = iscrowd.data();
    args.strict = false;
    args.threads = threads_argument(given[3]);
    args.out = out.mutable_data();
    args.out_stride_dt = 1;
    args.out_stride_gt = dt.size();
    without_gil([&] {
        Status status = dt.parse(args.threads);
        if (status.ok()) {
            status = gt.parse(args.threads);
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

PyMethodDef methods[] = {
    fast_method<parse, 2>("coco_parse", "coco_parse(rles, num_threads, /)\n--\n\n"),
    fast_method<dicts, 4>("coco_dicts",
                          "coco_dicts(counts, offsets, sizes, num_threads, /)\n--\n\n"),
    fast_method<recode, 2>("coco_recode", "coco_recode(rles, num_threads, /)\n--\n\n"),
    fast_method<decode, 3>("coco_decode", "coco_decode(rles, out, num_threads, /)\n--\n\n"),
    fast_method<encode, 2>("coco_encode", "coco_encode(masks, num_threads, /)\n--\n\n"),
    fast_method<area, 2>("coco_area", "coco_area(rles, num_threads, /)\n--\n\n"),
    fast_method<bbox, 2>("coco_bbox", "coco_bbox(rles, num_threads, /)\n--\n\n"),
    fast_method<merge, 2>("coco_merge", "coco_merge(rles, intersect, /)\n--\n\n"),
    fast_method<iou, 4>("coco_iou", "coco_iou(dt, gt, iscrowd, num_threads, /)\n--\n\n"),
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

REFPIX_BINDING(coco_masks) {
    if (PyModule_AddFunctions(module.ptr(), methods) != 0) {
        throw py::error_already_set();
    }
}

}  // namespace refpix::bind
