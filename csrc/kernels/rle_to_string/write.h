// One mask's run lengths to compressed text; parse.h of rle_from_string has the grammar.
#pragma once

#include <cstdint>

namespace refpix::rle {

// A difference of two 32-bit numbers takes 34 bits with its sign.
inline constexpr std::int64_t longest_number = 7;

// Returns how many characters it wrote; text has room for 7 * runs + 16.
std::int64_t write_runs(const std::uint32_t* counts, std::int64_t runs,
                        std::uint8_t* text) noexcept;

}  // namespace refpix::rle
