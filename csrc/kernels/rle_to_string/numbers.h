// Numbers to characters, per instruction set.
#pragma once

#include <cstdint>

namespace refpix::rle {

// As write_runs() of write.h.
using WriteRuns = std::int64_t(const std::uint32_t* counts, std::int64_t runs,
                               std::uint8_t* text) noexcept;

namespace scalar {
WriteRuns write_runs;
}
namespace avx2 {
WriteRuns write_runs;
}

}  // namespace refpix::rle
