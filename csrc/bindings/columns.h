// Results of unknown length as arrays.
#pragma once

#include <pybind11/typing.h>

#include <cstdint>

#include "bindings/bind.h"
#include "core/ragged.h"

namespace refpix::bind {

// Values end to end and their offsets.
template <typename T>
py::typing::Tuple<Array<T>, Array<std::int64_t>> columns(const Ragged<T>& items) {
    Array<std::int64_t> offsets(items.count() + 1);
    Array<T> values(items.offsets(offsets.mutable_data()));
    items.copy_to(values.mutable_data());
    return py::make_tuple(values, offsets);
}

}  // namespace refpix::bind
