// Masks as columns on a device, as bindings/rle_columns.h has them on the host.
#pragma once

#include "bindings/cuda/device_array.h"
#include "core/rle.h"

namespace refpix::bind {

// counts uint32 (runs,), offsets int64 (n + 1,), sizes int64 (n, 2).
struct DeviceRles {
    DeviceArray counts;
    DeviceArray offsets;
    DeviceArray sizes;
    Rles view;

    // `prefix` goes before the names in messages: "dt_" for dt_counts.
    DeviceRles(const py::object& counts_, const py::object& offsets_, const py::object& sizes_,
               const std::string& prefix = "")
        : counts(device_array(counts_, (prefix + "counts").c_str(), "u4", 1)),
          offsets(device_array(offsets_, (prefix + "offsets").c_str(), "i8", 1)),
          sizes(device_array(sizes_, (prefix + "sizes").c_str(), "i8", 2)) {
        require(sizes.shape[1] == 2, prefix + "sizes: expected shape (n, 2)");
        require(offsets.shape[0] == sizes.shape[0] + 1,
                prefix + "offsets: expected one more than there are " + prefix + "sizes");
        require(counts.shape[0] <= most_device_runs,
                prefix + "counts: a device takes 2^31 - 1 at a time");
        view = {packed<std::uint32_t>(counts, (prefix + "counts").c_str()), counts.shape[0],
                packed<std::int64_t>(offsets, (prefix + "offsets").c_str()),
                packed<std::int64_t>(sizes, (prefix + "sizes").c_str()), sizes.shape[0]};
    }
};

}  // namespace refpix::bind
