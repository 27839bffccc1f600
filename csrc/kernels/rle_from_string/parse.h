// One compressed mask to its run lengths.
//
// A number is characters 48..111, five bits each, least first; 0x20 says that another follows, and
// bit 0x10 of the last is the sign. From the fourth number on it is a difference to the run two
// before. Longer spellings than needed are read like the short one.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix::rle {

// counts has room for length + 16 numbers, of which *runs are written. The fault's position is the
// character at fault, or the first one of a number that is no run length; its item is -1.
Status parse_runs(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                  std::int64_t* runs) noexcept;

}  // namespace refpix::rle
