#include "bindings/rle_columns.h"

namespace refpix::bind {

RleColumns::RleColumns(const py::object& counts_, const py::object& offsets_,
                       const py::object& sizes_, const std::string& prefix)
    : counts(array<std::uint32_t>(counts_, (prefix + "counts").c_str(), 1)),
      offsets(array<std::int64_t>(offsets_, (prefix + "offsets").c_str(), 1)),
      sizes(mask_sizes(sizes_, (prefix + "sizes").c_str(), -1)) {
    require(offsets.size() == sizes.shape(0) + 1,
            prefix + "offsets: expected one more than there are " + prefix + "sizes");
}

Rles RleColumns::view() const {
    return {counts.data(), counts.size(), offsets.data(), sizes.data(), sizes.shape(0)};
}

Array<std::int64_t> mask_sizes(const py::object& sizes_, const char* name, std::int64_t n) {
    const auto sizes = array<std::int64_t>(sizes_, name, 2);
    require(sizes.shape(1) == 2, std::string(name) + ": expected shape (n, 2)");
    require(n < 0 || sizes.shape(0) == n, std::string(name) + ": expected " + std::to_string(n) +
                                              " rows, got " + std::to_string(sizes.shape(0)));
    return sizes;
}

RleTuple columns(const Ragged<std::uint32_t>& items, const Array<std::int64_t>& sizes) {
    const py::tuple parts = columns(items);
    return py::make_tuple(parts[0], parts[1], sizes);
}

}  // namespace refpix::bind
