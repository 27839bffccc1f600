#include "bindings/coco_rles.h"

#include <algorithm>
#include <cmath>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_from_string/parse.h"

namespace refpix::bind {
namespace {

constexpr std::int64_t slack = 16;  // that parse_runs may write beyond the end

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

// A sequence of numbers; not a bytearray, which is one too but was meant as text.
bool is_numbers(PyObject* object) {
    return PySequence_Check(object) && !PyDict_Check(object) && !PyByteArray_Check(object) &&
           !PyMemoryView_Check(object);
}

// Programs without integers write whole numbers with a decimal point.
long long whole(double value, std::int64_t item) {
    if (!(std::abs(value) < 0x1p62) || value != std::trunc(value)) {
        fail(PyExc_ValueError, item, std::to_string(value) + " is no whole number of 64 bits");
    }
    return static_cast<long long>(value);
}

long long integer(PyObject* object, std::int64_t item) {
    long long value;
    if (PyLong_CheckExact(object)) {
        value = PyLong_AsLongLong(object);
    } else if (PyFloat_Check(object)) {
        return whole(PyFloat_AS_DOUBLE(object), item);
    } else {
        const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(object));
        value = index ? PyLong_AsLongLong(index.ptr()) : -1;
    }
    if (value == -1 && PyErr_Occurred()) {
        fail_from_python(item);
    }
    return value;
}

}  // namespace

CocoRles::CocoRles(const py::handle& rles, std::int64_t first) : CocoRles() {
    first_ = first;
    if (!PyList_Check(rles.ptr()) && !PyTuple_Check(rles.ptr())) {
        throw py::type_error(std::string("expected a list of RLE dicts, got ") +
                             Py_TYPE(rles.ptr())->tp_name);
    }
    count_ = PySequence_Fast_GET_SIZE(rles.ptr());
    void* block = within_;
    if (count_ > few) {
        block_.reset(
            std::malloc(static_cast<std::size_t>(count_ * bytes_each) + sizeof(std::int64_t)));
        block = block_.get();
        if (block == nullptr) {
            throw std::bad_alloc();
        }
    }
    items_ = static_cast<Item*>(block);
    sizes_ = reinterpret_cast<std::int64_t*>(items_ + count_);
    offsets_ = sizes_ + 2 * count_;
    for (std::int64_t i = 0; i < count_; ++i) {
        // Reading a size may run Python code (__index__), which may shorten the list.
        if (i >= PySequence_Fast_GET_SIZE(rles.ptr())) {
            fail(PyExc_RuntimeError, first_ + i, "the list changed while it was read");
        }
        read(py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(rles.ptr(), i)), i);
        capacity_ += items_[i].length + slack;  // a run takes at least one byte of text
    }
}

CocoRles::~CocoRles() {
    for (std::int64_t i = 0; i < filled_; ++i) {
        Py_DECREF(items_[i].counts);
    }
}

void CocoRles::read(const py::handle& rle, std::int64_t i) {
    static PyObject* const counts_key = key("counts");
    static PyObject* const size_key = key("size");
    if (!PyDict_Check(rle.ptr())) {
        fail(PyExc_TypeError, first_ + i,
             std::string("expected an RLE dict, got ") + Py_TYPE(rle.ptr())->tp_name);
    }
    const auto size =
        py::reinterpret_borrow<py::object>(PyDict_GetItemWithError(rle.ptr(), size_key));
    const auto counts =
        py::reinterpret_borrow<py::object>(PyDict_GetItemWithError(rle.ptr(), counts_key));
    if (!size || !counts) {
        fail(PyExc_KeyError, first_ + i, size ? "no 'counts'" : "no 'size'");
    }
    items_[i] = {counts.inc_ref().ptr(), nullptr, 0, 0};
    filled_ = i + 1;
    read_size(size, i);
    read_counts(counts, i);
}

void CocoRles::read_size(const py::handle& size, std::int64_t item) {
    const auto pair = py::reinterpret_steal<py::object>(
        is_numbers(size.ptr()) ? PySequence_Fast(size.ptr(), "") : nullptr);
    if (!pair) {
        PyErr_Clear();
        fail(PyExc_TypeError, first_ + item, "'size' must be height and width");
    }
    for (Py_ssize_t axis = 0; axis < 2; ++axis) {
        // Asked each time: reading the height may run Python code that changes the list.
        if (PySequence_Fast_GET_SIZE(pair.ptr()) != 2) {
            fail(PyExc_ValueError, first_ + item, "'size' must be height and width");
        }
        const auto side =
            py::reinterpret_borrow<py::object>(PySequence_Fast_GET_ITEM(pair.ptr(), axis));
        sizes_[2 * item + axis] = integer(side.ptr(), first_ + item);
    }
}

void CocoRles::read_counts(const py::handle& counts, std::int64_t i) {
    Item& item = items_[i];
    if (PyBytes_Check(counts.ptr())) {
        item.text = reinterpret_cast<const std::uint8_t*>(PyBytes_AS_STRING(counts.ptr()));
        item.length = PyBytes_GET_SIZE(counts.ptr());
    } else if (PyUnicode_Check(counts.ptr())) {
        Py_ssize_t length = 0;
        const char* text = PyUnicode_AsUTF8AndSize(counts.ptr(), &length);  // kept by the str
        if (text == nullptr) {
            fail_from_python(first_ + i);
        }
        item.text = reinterpret_cast<const std::uint8_t*>(text);
        item.length = length;
    } else {
        item.start = static_cast<std::int64_t>(loose_.size());
        PyList_CheckExact(counts.ptr()) ? read_list(counts, i) : read_sequence(counts, i);
        item.length = static_cast<std::int64_t>(loose_.size()) - item.start;
    }
}

// A list of plain ints, as JSON gives it: reading those runs no Python code.
void CocoRles::read_list(const py::handle& list, std::int64_t i) {
    const Py_ssize_t length = PyList_GET_SIZE(list.ptr());
    const std::size_t before = loose_.size();
    loose_.reserve(before + static_cast<std::size_t>(length));
    for (Py_ssize_t run = 0; run < length; ++run) {
        PyObject* number = PyList_GET_ITEM(list.ptr(), run);
        if (!PyLong_CheckExact(number)) {
            loose_.resize(before);
            read_sequence(list, i);
            return;
        }
        push_run(integer(number, first_ + i), i);
    }
}

void CocoRles::read_sequence(const py::handle& counts, std::int64_t i) {
    // A tuple of its own: converting the numbers may run Python code.
    const auto runs = py::reinterpret_steal<py::object>(
        is_numbers(counts.ptr()) ? PySequence_Tuple(counts.ptr()) : nullptr);
    if (!runs) {
        PyErr_Clear();
        fail(PyExc_TypeError, first_ + i,
             std::string("'counts' must be bytes, str or a sequence of run lengths, got ") +
                 Py_TYPE(counts.ptr())->tp_name);
    }
    for (Py_ssize_t run = 0; run < PyTuple_GET_SIZE(runs.ptr()); ++run) {
        push_run(integer(PyTuple_GET_ITEM(runs.ptr(), run), first_ + i), i);
    }
}

void CocoRles::push_run(long long value, std::int64_t item) {
    if (value < 0 || value > UINT32_MAX) {
        raise_on_fault(
            {value < 0 ? Fault::rle_negative_run : Fault::rle_run_overflow, first_ + item, -1});
    }
    loose_.push_back(static_cast<std::uint32_t>(value));
}

Status CocoRles::parse_item(std::int64_t i, std::uint32_t* out, std::int64_t* runs) noexcept {
    const Item& item = items_[i];
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
    counts_.reset(static_cast<std::uint32_t*>(
        std::malloc(static_cast<std::size_t>(capacity_ + slack) * sizeof(std::uint32_t))));
    if (!counts_) {
        return {Fault::out_of_memory, -1, -1};
    }
    offsets_[0] = 0;
    const Status status =
        threads <= 1 || count_ <= 1 ? parse_in_turn() : parse_side_by_side(threads);
    return status.ok() ? view().check() : status;
}

Status CocoRles::parse_in_turn() {
    for (std::int64_t i = 0; i < count_; ++i) {
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
    std::vector<std::int64_t> runs(static_cast<std::size_t>(count_));
    for (std::int64_t i = 0; i < count_; ++i) {
        offsets_[i + 1] = offsets_[i] + items_[i].length + slack;
    }
    FirstFault faults;
    parallel_for(count_, threads, [&](std::int64_t i) {
        faults.report(parse_item(i, counts_.get() + offsets_[i], &runs[i]));
    });
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < count_; ++i) {
        std::copy_n(counts_.get() + offsets_[i], runs[i], counts_.get() + at);
        offsets_[i] = at;
        at += runs[i];
    }
    offsets_[count_] = at;
    return faults.status();
}

Rles CocoRles::view() const noexcept {
    return {counts_.get(), offsets_[count_], offsets_, sizes_, count_};
}

}  // namespace refpix::bind
