// A row of a matte as bits, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::component {

struct Row {
    const void* alpha;
    bool is_float;
    std::int64_t width;
    float limit;         // of float: pixels above it
    std::uint8_t least;  // of uint8: pixels that reach it
    std::uint64_t* words;
};

// False when a value is not finite.
namespace scalar {
bool pack(const Row& row) noexcept;
}
namespace avx2 {
bool pack(const Row& row) noexcept;
}

}  // namespace refpix::component
