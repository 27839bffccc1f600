#include "bindings/rle_columns.h"

namespace refpix::bind {

RleColumns::RleColumns(const py::object& counts_, const py::object& offsets_,
                       const py::object& sizes_, const std::string& prefix)
    : counts(array<std::uint32_t>(counts_, prefix + "counts", 1)),
      sizes(shaped_array<std::int64_t>(sizes_, prefix + "sizes", {-1, 2})),
      offsets(shaped_array<std::int64_t>(offsets_, prefix + "offsets", {sizes.shape(0) + 1})) {}

Rles RleColumns::view() const {
    return {counts.data(), counts.size(), offsets.data(), sizes.data(), sizes.shape(0)};
}

RleTuple columns(const Ragged<std::uint32_t>& items, const Array<std::int64_t>& sizes) {
    const py::tuple parts = columns(items);
    return py::make_tuple(parts[0], parts[1], sizes);
}

}  // namespace refpix::bind
