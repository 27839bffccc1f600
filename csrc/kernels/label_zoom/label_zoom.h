// Label maps of any sizes to one size, without interpolation.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

enum class LabelType : int { uint8, int16, int32, int64 };
enum class ZoomRule : int { scipy, torch };

struct LabelZoom {
    const void* values = nullptr;  // (size,) of `type`, all maps end to end
    LabelType type = LabelType::uint8;
    std::int64_t size = 0;
    const std::int64_t* offsets = nullptr;  // (count + 1,)
    const std::int64_t* sizes = nullptr;    // (count, 2): height, width
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    ZoomRule rule = ZoomRule::scipy;
    int threads = 1;
    std::int32_t* out = nullptr;  // (count, height, width)
};

namespace cpu {
Status label_zoom(const LabelZoom& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` on the device; `threads` is ignored.
struct LabelZoomRun {
    LabelZoom args;
    std::int64_t* first_bad = nullptr;  // (2,), scratch
    DeviceFault* fault = nullptr;
};
int label_zoom(const LabelZoomRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
