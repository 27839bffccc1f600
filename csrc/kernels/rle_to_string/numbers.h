// Numbers to characters, per instruction set.
#pragma once

#include <cstdint>

namespace refpix::rle {

// As write_runs(), for runs from the fourth on: counts[-2] is there. Writes 8 bytes a number and
// counts those that it has.
using WriteDifferences = std::int64_t(const std::uint32_t* counts, std::int64_t runs,
                                      std::uint8_t* text) noexcept;

namespace scalar {
WriteDifferences write_differences;
}
namespace avx2 {
WriteDifferences write_differences;
}

}  // namespace refpix::rle
