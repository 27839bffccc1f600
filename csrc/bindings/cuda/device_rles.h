// Masks as columns on a device, as bindings/rle_columns.h has them on the host.
#pragma once

#include "bindings/cuda/device_array.h"
#include "core/rle.h"

namespace refpix::bind {

// counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2).
struct DeviceRles {
    DeviceArray counts;
    DeviceArray sizes;
    DeviceArray offsets;
    Rles view;

    // `prefix` goes before the names in messages: "dt_" for dt_counts.
    DeviceRles(const py::object& counts_, const py::object& offsets_, const py::object& sizes_,
               const std::string& prefix = "")
        : counts(device_array(counts_, prefix + "counts", "u4", 1)),
          sizes(shaped_device_array(sizes_, prefix + "sizes", "i8", {-1, 2})),
          offsets(shaped_device_array(offsets_, prefix + "offsets", "i8", {sizes.shape[0] + 1})) {
        require(counts.shape[0] <= most_device_runs,
                prefix + "counts: a device takes 2^31 - 1 at a time");
        view = {packed<std::uint32_t>(counts, prefix + "counts"), counts.shape[0],
                packed<std::int64_t>(offsets, prefix + "offsets"),
                packed<std::int64_t>(sizes, prefix + "sizes"), sizes.shape[0]};
    }
};

}  // namespace refpix::bind
