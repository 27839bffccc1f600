// One row of mode `paste`, per instruction set.
#pragma once

#include <cstdint>

#include "core/isa.h"

namespace refpix::composite {

struct Row {
    std::uint8_t* under;        // pixels * channels, updated
    const std::uint8_t* over;   // pixels * channels
    const std::uint8_t* matte;  // pixels
    std::int64_t pixels;
    std::int64_t channels;
};

using PasteRow = void (*)(const Row&) noexcept;

namespace scalar {
void paste_row(const Row& row) noexcept;
}
namespace avx2 {
void paste_row(const Row& row) noexcept;
}
PasteRow paste_row(Isa isa) noexcept;

}  // namespace refpix::composite
