// Pixels to baseline JPEG files, as libjpeg's defaults have them.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/status.h"

namespace refpix {

struct JpegEncode {
    const std::uint8_t* images = nullptr;  // (count, height, width, channels)
    std::int64_t count = 0;
    std::int64_t height = 0, width = 0;
    std::int64_t channels = 3;  // 1 or 3
    // The file's picture: black, with the image at its position, within it.
    std::int64_t canvas_height = 0, canvas_width = 0;
    const std::int64_t* positions = nullptr;  // (count, 2) x, y; null: at 0, 0
    int quality = 75;
    int threads = 1;
};

namespace cpu {
Status jpeg_encode(const JpegEncode& args, Ragged<std::uint8_t>* files) noexcept;
}  // namespace cpu

}  // namespace refpix
