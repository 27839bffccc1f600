// What the header of a JPEG says, read without libjpeg: size and process, before anything is
// allocated. Accepts and refuses what Pillow's plugin accepts and refuses when it opens a file.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct JpegHeader {
    std::int64_t width = 0;
    std::int64_t height = 0;
    int components = 0;        // 1, 3 or 4
    std::uint8_t process = 0;  // second byte of the frame's marker: 0xc0 baseline, 0xc2 progressive
    bool arithmetic() const noexcept { return process >= 0xc9; }
    std::int64_t scaled_width(int denom) const noexcept { return (width + denom - 1) / denom; }
    std::int64_t scaled_height(int denom) const noexcept { return (height + denom - 1) / denom; }
};

// Faults: image_unrecognised (no FF D8 FF in front), jpeg_truncated (ends before the first scan),
// jpeg_bad_header, jpeg_unsupported (a process, precision or component count not decoded here, or
// metadata on which Pillow's verdict takes more parsing than is worth repeating).
Status jpeg_header(const std::uint8_t* data, std::int64_t size, JpegHeader* header) noexcept;

}  // namespace refpix
