#include "bindings/coco_rles.h"

#include <algorithm>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_from_string/parse.h"
#include "kernels/rle_to_string/write.h"

namespace refpix::bind {
namespace {

constexpr std::int64_t slack = 16;  // that parse_runs and write_runs may write beyond the end

PyObject* key(const char* name) {
    return PyUnicode_InternFromString(name);  // kept for the life of the process
}

[[noreturn]] void fail(PyObject* type, std::int64_t item, const std::string& what) {
    PyErr_SetString(type, ("item " + std::to_string(item) + ": " + what).c_str());
    throw py::error_already_set();
}

// The same exception, with the item before its message.
[[noreturn]] void fail_from_python(std::int64_t item) {
    py::error_already_set error;
    const std::string what = py::str(error.value());
    if (error.matches(PyExc_TypeError)) {
        fail(PyExc_TypeError, item, what);
    }
    if (error.matches(PyExc_Exception)) {
        fail(PyExc_ValueError, item, what);
    }
    throw error;
}

std::int64_t integer(const py::handle& object, std::int64_t item) {
    const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
    const long long value = index ? PyLong_AsLongLong(index.ptr()) : -1;
    if (value == -1 && PyErr_Occurred()) {
        fail_from_python(item);
    }
    return value;
}

}  // namespace

CocoRles::CocoRles(const py::handle& rles) {
    static PyObject* const counts_key = key("counts");
    static PyObject* const size_key = key("size");
    if (!PyList_Check(rles.ptr()) && !PyTuple_Check(rles.ptr())) {
        throw py::type_error(std::string("expected a list of RLE dicts, got ") +
                             Py_TYPE(rles.ptr())->tp_name);
    }
    const Py_ssize_t count = PySequence_Fast_GET_SIZE(rles.ptr());
    items_.resize(static_cast<std::size_t>(count));
    sizes_.resize(static_cast<std::size_t>(2 * count));
    kept_.reserve(static_cast<std::size_t>(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
        // Reading a size may run Python code (__index__), which may shorten the list.
        if (i >= PySequence_Fast_GET_SIZE(rles.ptr())) {
            fail(PyExc_RuntimeError, i, "the list changed while it was read");
        }
        const auto rle =
            py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(rles.ptr(), i));
        if (!PyDict_Check(rle.ptr())) {
            fail(PyExc_TypeError, i,
                 std::string("expected an RLE dict, got ") + Py_TYPE(rle.ptr())->tp_name);
        }
        const auto size =
            py::reinterpret_borrow<py::object>(PyDict_GetItemWithError(rle.ptr(), size_key));
        auto counts =
            py::reinterpret_borrow<py::object>(PyDict_GetItemWithError(rle.ptr(), counts_key));
        if (!size || !counts) {
            fail(PyExc_KeyError, i, size ? "no 'counts'" : "no 'size'");
        }
        read_size(size, i);
        kept_.push_back(std::move(counts));
        read_counts(kept_.back(), &items_[static_cast<std::size_t>(i)]);
    }
}

void CocoRles::read_size(const py::handle& size, std::int64_t item) {
    const auto pair = py::reinterpret_steal<py::object>(PySequence_Fast(size.ptr(), ""));
    if (!pair) {
        PyErr_Clear();
        fail(PyExc_TypeError, item, "'size' must be height and width");
    }
    if (PySequence_Fast_GET_SIZE(pair.ptr()) != 2) {
        fail(PyExc_ValueError, item, "'size' must be height and width");
    }
    for (Py_ssize_t axis = 0; axis < 2; ++axis) {
        sizes_[static_cast<std::size_t>(2 * item + axis)] =
            integer(PySequence_Fast_GET_ITEM(pair.ptr(), axis), item);
    }
}

void CocoRles::read_counts(const py::handle& counts, Item* item) {
    const std::int64_t index = item - items_.data();
    Py_ssize_t length = 0;
    if (PyBytes_Check(counts.ptr())) {
        *item = {reinterpret_cast<const std::uint8_t*>(PyBytes_AS_STRING(counts.ptr())),
                 PyBytes_GET_SIZE(counts.ptr()), 0};
    } else if (PyUnicode_Check(counts.ptr())) {
        const char* text = PyUnicode_AsUTF8AndSize(counts.ptr(), &length);  // kept by the str
        if (text == nullptr) {
            fail_from_python(index);
        }
        *item = {reinterpret_cast<const std::uint8_t*>(text), length, 0};
    } else {
        read_sequence(counts, item);
    }
}

void CocoRles::read_sequence(const py::handle& counts, Item* item) {
    const std::int64_t index = item - items_.data();
    const bool sequence = PySequence_Check(counts.ptr()) && !PyDict_Check(counts.ptr());
    // A tuple of its own: converting the numbers may run Python code.
    const auto runs =
        py::reinterpret_steal<py::object>(sequence ? PySequence_Tuple(counts.ptr()) : nullptr);
    if (!runs) {
        PyErr_Clear();
        fail(PyExc_TypeError, index,
             std::string("'counts' must be bytes, str or a sequence of run lengths, got ") +
                 Py_TYPE(counts.ptr())->tp_name);
    }
    const Py_ssize_t length = PyTuple_GET_SIZE(runs.ptr());
    *item = {nullptr, length, static_cast<std::int64_t>(loose_.size())};
    for (Py_ssize_t run = 0; run < length; ++run) {
        const std::int64_t value = integer(PyTuple_GET_ITEM(runs.ptr(), run), index);
        if (value < 0 || value > UINT32_MAX) {
            raise_on_fault(
                {value < 0 ? Fault::rle_negative_run : Fault::rle_run_overflow, index, -1});
        }
        loose_.push_back(static_cast<std::uint32_t>(value));
    }
}

Status CocoRles::parse_item(std::int64_t i, std::uint32_t* out, std::int64_t* runs) noexcept {
    const Item& item = items_[static_cast<std::size_t>(i)];
    if (item.text == nullptr) {
        std::copy_n(loose_.data() + item.start, item.length, out);
        *runs = item.length;
        return {};
    }
    Status status = rle::parse_runs(item.text, item.length, out, runs);
    status.item = i;
    return status;
}

Status CocoRles::parse(int threads) {
    const std::int64_t count = size();
    std::int64_t capacity = slack;
    for (const Item& item : items_) {
        capacity += item.length + slack;  // a run takes at least one byte
    }
    counts_.reset(static_cast<std::uint32_t*>(
        std::malloc(static_cast<std::size_t>(capacity) * sizeof(std::uint32_t))));
    if (!counts_) {
        return {Fault::out_of_memory, -1, -1};
    }
    offsets_.assign(static_cast<std::size_t>(count) + 1, 0);
    const Status status =
        threads <= 1 || count <= 1 ? parse_in_turn() : parse_side_by_side(threads);
    return status.ok() ? view().check() : status;
}

Status CocoRles::parse_in_turn() {
    for (std::int64_t i = 0; i < size(); ++i) {
        std::int64_t runs = 0;
        const Status status = parse_item(i, counts_.get() + offsets_[i], &runs);
        if (!status.ok()) {
            return status;
        }
        offsets_[i + 1] = offsets_[i] + runs;
    }
    return {};
}

Status CocoRles::parse_side_by_side(int threads) {
    // Each where it has room for sure; then they are moved together.
    std::vector<std::int64_t> runs(items_.size());
    for (std::int64_t i = 0; i < size(); ++i) {
        offsets_[i + 1] = offsets_[i] + items_[static_cast<std::size_t>(i)].length + slack;
    }
    FirstFault faults;
    parallel_for(size(), threads, [&](std::int64_t i) {
        faults.report(parse_item(i, counts_.get() + offsets_[i], &runs[i]));
    });
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < size(); ++i) {
        std::copy_n(counts_.get() + offsets_[i], runs[i], counts_.get() + at);
        offsets_[i] = at;
        at += runs[i];
    }
    offsets_[size()] = at;
    return faults.status();
}

Rles CocoRles::view() const noexcept {
    return {counts_.get(), offsets_.back(), offsets_.data(), sizes_.data(), size()};
}

py::list coco_dicts(const Ragged<std::uint32_t>& counts, const std::int64_t* sizes, int threads) {
    static PyObject* const counts_key = key("counts");
    static PyObject* const size_key = key("size");
    Ragged<std::uint8_t> texts;
    bool room = texts.resize(counts.count());
    {
        py::gil_scoped_release release;
        FirstFault faults;
        parallel_for(room ? counts.count() : 0, threads, [&](std::int64_t i) {
            std::uint8_t* text = texts.reserve(i, 7 * counts.length(i) + slack);
            if (text == nullptr) {
                faults.report({Fault::out_of_memory, i, -1});
                return;
            }
            texts.shorten(i, rle::write_runs(counts.data(i), counts.length(i), text));
        });
        room = room && faults.status().ok();
    }
    if (!room) {
        raise_on_fault({Fault::out_of_memory, -1, -1});
    }
    py::list dicts(counts.count());
    for (std::int64_t i = 0; i < counts.count(); ++i) {
        py::dict dict;
        py::list size(2);
        for (std::int64_t axis = 0; axis < 2; ++axis) {
            PyList_SET_ITEM(size.ptr(), axis, PyLong_FromLongLong(sizes[2 * i + axis]));
        }
        const py::bytes text(reinterpret_cast<const char*>(texts.data(i)),
                             static_cast<std::size_t>(texts.length(i)));
        if (PyDict_SetItem(dict.ptr(), size_key, size.ptr()) != 0 ||
            PyDict_SetItem(dict.ptr(), counts_key, text.ptr()) != 0) {
            throw py::error_already_set();
        }
        PyList_SET_ITEM(dicts.ptr(), i, dict.release().ptr());
    }
    return dicts;
}

}  // namespace refpix::bind
