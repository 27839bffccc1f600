// Columns of run lengths to COCO's dicts.
#include <algorithm>

#include "bindings/coco_rles.h"
#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_to_string/write.h"

namespace refpix::bind {
namespace {

constexpr std::int64_t room(std::int64_t runs) {
    return 7 * runs + 16;  // what write_runs asks for
}

py::object mask_dict(std::int64_t height, std::int64_t width, const std::uint8_t* text,
                     std::int64_t length) {
    static PyObject* const counts_key = PyUnicode_InternFromString("counts");
    static PyObject* const size_key = PyUnicode_InternFromString("size");
    auto dict = py::reinterpret_steal<py::object>(PyDict_New());
    const auto size = py::reinterpret_steal<py::object>(PyList_New(2));
    const auto counts = py::reinterpret_steal<py::object>(PyBytes_FromStringAndSize(
        reinterpret_cast<const char*>(text), static_cast<Py_ssize_t>(length)));
    PyObject* sides[] = {PyLong_FromLongLong(height), PyLong_FromLongLong(width)};
    if (!dict || !size || !counts || sides[0] == nullptr || sides[1] == nullptr) {
        Py_XDECREF(sides[0]);
        Py_XDECREF(sides[1]);
        throw py::error_already_set();
    }
    PyList_SET_ITEM(size.ptr(), 0, sides[0]);
    PyList_SET_ITEM(size.ptr(), 1, sides[1]);
    if (PyDict_SetItem(dict.ptr(), size_key, size.ptr()) != 0 ||
        PyDict_SetItem(dict.ptr(), counts_key, counts.ptr()) != 0) {
        throw py::error_already_set();
    }
    return dict;
}

// `runs(i)` is the address and number of the run lengths of mask i.
template <typename Runs>
py::list in_turn(std::int64_t count, const Runs& runs, const std::int64_t* sizes) {
    std::vector<std::uint8_t> text;
    py::list dicts(count);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto [counts, length] = runs(i);
        text.resize(std::max(text.size(), static_cast<std::size_t>(room(length))));
        const std::int64_t written = rle::write_runs(counts, length, text.data());
        PyList_SET_ITEM(
            dicts.ptr(), i,
            mask_dict(sizes[2 * i], sizes[2 * i + 1], text.data(), written).release().ptr());
    }
    return dicts;
}

template <typename Runs>
py::list side_by_side(std::int64_t count, const Runs& runs, const std::int64_t* sizes,
                      int threads) {
    Ragged<std::uint8_t> texts;
    Status status;
    {
        py::gil_scoped_release release;
        FirstFault faults;
        const bool there = texts.resize(count);
        parallel_for(there ? count : 0, threads, [&](std::int64_t i) {
            const auto [counts, length] = runs(i);
            std::uint8_t* text = texts.reserve(i, room(length));
            if (text == nullptr) {
                faults.report({Fault::out_of_memory, i, -1});
                return;
            }
            texts.shorten(i, rle::write_runs(counts, length, text));
        });
        status = there ? faults.status() : Status{Fault::out_of_memory, -1, -1};
    }
    raise_on_fault(status);
    py::list dicts(count);
    for (std::int64_t i = 0; i < count; ++i) {
        PyList_SET_ITEM(dicts.ptr(), i,
                        mask_dict(sizes[2 * i], sizes[2 * i + 1], texts.data(i), texts.length(i))
                            .release()
                            .ptr());
    }
    return dicts;
}

template <typename Runs>
py::list dicts_of(std::int64_t count, const Runs& runs, const std::int64_t* sizes, int threads) {
    std::int64_t all = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        all += runs(i).second;
    }
    return all < gil_worth ? in_turn(count, runs, sizes)
                           : side_by_side(count, runs, sizes, threads);
}

}  // namespace

py::list coco_dicts(const Ragged<std::uint32_t>& counts, const std::int64_t* sizes, int threads) {
    const auto runs = [&](std::int64_t i) { return std::pair(counts.data(i), counts.length(i)); };
    return dicts_of(counts.count(), runs, sizes, threads);
}

py::list coco_dicts(const Rles& masks, int threads) {
    const auto runs = [&](std::int64_t i) {
        return std::pair(masks.item(i).counts, masks.item(i).runs);
    };
    return dicts_of(masks.count, runs, masks.sizes, threads);
}

}  // namespace refpix::bind
