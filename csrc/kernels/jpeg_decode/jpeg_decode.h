// JPEG files to RGB pixels, a batch at a time.
#pragma once

#include <cstdint>

#include "core/spans.h"
#include "kernels/jpeg_decode/reader.h"

namespace refpix {

struct JpegDecode {
    Spans files;
    JpegOptions options;
    const std::int64_t* roi = nullptr;  // (count, 4) x0, y0, x1, y1 in output pixels, or null: all
    int threads = 1;
    std::int64_t* sizes = nullptr;    // (count, 2) height, width; filled by jpeg_decode_sizes
    std::int64_t* offsets = nullptr;  // (count + 1,) into pixels; filled by jpeg_decode_sizes
    std::uint8_t* pixels = nullptr;   // (offsets[count],) filled by jpeg_decode
};

namespace cpu {
Status jpeg_decode_sizes(const JpegDecode& args) noexcept;
Status jpeg_decode(const JpegDecode& args) noexcept;
}  // namespace cpu

}  // namespace refpix
