// Bytes through a table, one for each picture or for each of its channels.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ImageLookup {
    const std::uint8_t* images = nullptr;  // (count, item_bytes), channels next to one another
    std::int64_t count = 0;
    std::int64_t item_bytes = 0;
    const std::uint8_t* tables = nullptr;  // (count, channels, 256)
    std::int64_t channels = 1;             // that have a table each
    int threads = 1;
    std::uint8_t* out = nullptr;  // as images, of which it shares nothing
};

namespace cpu {
Status image_lookup(const ImageLookup& args) noexcept;
}  // namespace cpu

namespace cuda {
// Device pointers; `threads` is ignored.
int image_lookup(const ImageLookup& args, DeviceStream stream) noexcept;  // a cudaError_t
}  // namespace cuda

}  // namespace refpix
