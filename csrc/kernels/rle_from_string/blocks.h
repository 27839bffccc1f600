// Numbers 32 characters at a time.
#pragma once

#include <cstdint>

namespace refpix::rle {

// Where a text has been read up to, a number's start, and how many numbers came before.
struct Cursor {
    std::int64_t next = 0;
    std::int64_t runs = 0;
};

namespace avx2 {
// Reads on from *at as far as numbers have 8 characters at most and give runs below 2^31; sees no
// faults, but stops there. Returns up to where the plain loop must go, one number at least, before
// the next call. counts may be written up to 8 numbers behind those of the text.
std::int64_t parse(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                   Cursor* at) noexcept;
}  // namespace avx2

}  // namespace refpix::rle
