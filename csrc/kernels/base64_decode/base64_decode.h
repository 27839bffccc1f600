// Base64 text to bytes, with the leniency of the decoder that published the data.
#pragma once

#include <cstdint>

#include "core/spans.h"
#include "kernels/base64_decode/decode.h"

namespace refpix {

struct Base64Decode {
    Spans text;
    Base64Options options;
    int threads = 1;
    std::int64_t* offsets = nullptr;  // (count + 1,)
    std::uint8_t* out = nullptr;      // (offsets[count],) as base64_decode_bounds left them
};

namespace cpu {
// Fills offsets with where items end if no text holds junk: never less than they need.
Status base64_decode_bounds(const Base64Decode& args) noexcept;
// Decodes, then closes the gaps that junk leaves and corrects the offsets.
Status base64_decode(const Base64Decode& args) noexcept;
}  // namespace cpu

}  // namespace refpix
