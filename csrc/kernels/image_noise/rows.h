// Noise on many bytes, once per instruction set.
#pragma once

#include <cstdint>

#include "kernels/image_noise/noise.h"

namespace refpix::noise {

struct Rows {
    void (*run)(const Stream& stream, const std::uint8_t* in, std::int64_t count,
                std::uint8_t* out) noexcept;
};

namespace scalar {
extern const Rows rows;
}
namespace avx2 {
extern const Rows rows;
}

}  // namespace refpix::noise
