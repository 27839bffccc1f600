// The steps over one row, once per instruction set.
#pragma once

#include <cstdint>

namespace refpix::resize_opencv {

inline constexpr int weight_bits = 11;
inline constexpr std::int64_t line_padding = 4;  // values behind a line that may be written

// One row of a picture across: values of up to 255 with seven fractional bits.
struct Across {
    const std::uint8_t* row = nullptr;
    std::int64_t readable = 0;              // bytes from `row` to the end of the picture
    const std::int32_t* first = nullptr;    // per output pixel where its first sample is, ascending
    const std::int32_t* weights = nullptr;  // of that sample (lower half) and of the next one
    std::int64_t count = 0, channels = 1;
    std::int64_t next = 1;         // bytes from a sample to the next one; 0 if there is but one
    std::int16_t* line = nullptr;  // count * channels + line_padding
};

// Two lines to a row of the result.
struct Down {
    const std::int16_t* first = nullptr;
    const std::int16_t* second = nullptr;
    std::int16_t u = 0, v = 0;
    std::int64_t count = 0;
    std::uint8_t* out = nullptr;
};

namespace scalar {
void across(const Across& args) noexcept;
void down(const Down& args) noexcept;
}  // namespace scalar
namespace avx2 {
void across(const Across& args) noexcept;
void down(const Down& args) noexcept;
}  // namespace avx2

}  // namespace refpix::resize_opencv
