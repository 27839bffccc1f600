// Masks as columns: NumPy arrays to a view of run lengths, and results back to arrays.
#pragma once

#include <pybind11/typing.h>

#include <cstdint>

#include "bindings/bind.h"
#include "core/ragged.h"
#include "core/rle.h"

namespace refpix::bind {

// counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2), held while viewed.
struct RleColumns {
    Array<std::uint32_t> counts;
    Array<std::int64_t> offsets;
    Array<std::int64_t> sizes;

    // `prefix` goes before the names in messages: "dt_" for dt_counts.
    RleColumns(const py::object& counts, const py::object& offsets, const py::object& sizes,
               const std::string& prefix = "");
    Rles view() const;
};

// sizes int64 (n, 2), named `name` in messages; n < 0 takes any.
Array<std::int64_t> mask_sizes(const py::object& sizes, const char* name, std::int64_t n);

// Values end to end and their offsets.
template <typename T>
py::typing::Tuple<Array<T>, Array<std::int64_t>> columns(const Ragged<T>& items) {
    Array<std::int64_t> offsets(items.count() + 1);
    Array<T> values(items.offsets(offsets.mutable_data()));
    items.copy_to(values.mutable_data());
    return py::make_tuple(values, offsets);
}

// counts, offsets, sizes. Typed, so that the stubs say what comes.
using RleTuple = py::typing::Tuple<Array<std::uint32_t>, Array<std::int64_t>, Array<std::int64_t>>;
RleTuple columns(const Ragged<std::uint32_t>& items, const Array<std::int64_t>& sizes);

}  // namespace refpix::bind
