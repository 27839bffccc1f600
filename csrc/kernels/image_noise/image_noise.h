// Normal noise on bytes, the same wherever and however it is computed.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ImageNoise {
    const std::uint8_t* images = nullptr;  // (count, item_bytes)
    std::int64_t count = 0;
    std::int64_t item_bytes = 0;
    const void* sigmas = nullptr;        // (count,), in levels
    bool double_sigmas = true;           // else float
    const std::int64_t* keys = nullptr;  // (count, 2): seed, id
    int threads = 1;
    std::uint8_t* out = nullptr;  // as images, of which it shares nothing

    static constexpr double most_sigma = 1e6;

    REFPIX_HD double sigma(std::int64_t item) const noexcept {
        return double_sigmas ? static_cast<const double*>(sigmas)[item]
                             : double{static_cast<const float*>(sigmas)[item]};
    }

    REFPIX_HD Status check(std::int64_t item) const noexcept {
        const double value = sigma(item);
        if (!(value - value == 0)) {
            return {Fault::augment_not_finite, item, -1};
        }
        return value >= 0 && value <= most_sigma ? Status{}
                                                 : Status{Fault::augment_out_of_range, item, -1};
    }
};

namespace cpu {
Status image_noise(const ImageNoise& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` as above, on the device; `threads` is ignored.
struct ImageNoiseRun {
    ImageNoise args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
int image_noise(const ImageNoiseRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
