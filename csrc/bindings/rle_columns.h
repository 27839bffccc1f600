// Masks as columns: NumPy arrays to a view of run lengths, and results back to arrays.
#pragma once

#include <cstdint>

#include "bindings/columns.h"
#include "core/rle.h"

namespace refpix::bind {

// counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2), held while viewed.
struct RleColumns {
    Array<std::uint32_t> counts;
    Array<std::int64_t> sizes;
    Array<std::int64_t> offsets;

    // `prefix` goes before the names in messages: "dt_" for dt_counts.
    RleColumns(const py::object& counts, const py::object& offsets, const py::object& sizes,
               const std::string& prefix = "");
    Rles view() const;
};

// counts, offsets, sizes. Typed, so that the stubs say what comes.
using RleTuple = py::typing::Tuple<Array<std::uint32_t>, Array<std::int64_t>, Array<std::int64_t>>;
RleTuple columns(const Ragged<std::uint32_t>& items, const Array<std::int64_t>& sizes);

}  // namespace refpix::bind
