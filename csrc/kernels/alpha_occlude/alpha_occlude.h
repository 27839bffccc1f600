// A stack of mattes when a new one comes in front of them.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"
#include "kernels/alpha_planes.h"

namespace refpix {

struct AlphaOcclude {
    alpha::PlaneType type = alpha::PlaneType::float32;
    void* stack = nullptr;  // (planes, height, width) of `type`
    std::int64_t planes = 0, height = 0, width = 0;
    const std::uint8_t* front = nullptr;  // (front_height, front_width)
    std::int64_t front_height = 0, front_width = 0;
    std::int64_t x = 0, y = 0;            // of its first pixel
    std::int64_t index = 0;               // the plane that takes it; those before it are behind
    const std::int64_t* boxes = nullptr;  // (planes, 4) x, y, w, h: zero outside; null: all
    bool write = true;
    int threads = 1;
    double* areas = nullptr;  // (index + 1, 2): sums of each plane before and after
};

namespace cpu {
Status alpha_occlude(const AlphaOcclude& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` as above, on the device; `threads` is ignored.
struct AlphaOccludeRun {
    AlphaOcclude args;
    double* segments = nullptr;         // scratch: segment_sums_of(args) pairs of sums
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
std::int64_t segment_sums_of(const AlphaOcclude& args) noexcept;
int alpha_occlude(const AlphaOccludeRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
