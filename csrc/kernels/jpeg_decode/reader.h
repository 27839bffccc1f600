// Streaming JPEG decoder over libjpeg-turbo: RGB rows equal to Pillow's, one object per thread.
#pragma once

#include <cstdint>
#include <memory>

#include "core/status.h"
#include "kernels/jpeg_decode/header.h"

namespace refpix {

// Images beyond it are refused by Pillow too unless told otherwise (2 * Image.MAX_IMAGE_PIXELS).
inline constexpr std::int64_t jpeg_default_pixel_limit = 178956970;
// Encoders write about ten scans. Each costs a pass over the whole image, whatever its length.
inline constexpr int jpeg_default_scan_limit = 100;

struct JpegOptions {
    // As Pillow with LOAD_TRUNCATED_IMAGES: once the header is whole, nothing is a fault. What
    // libjpeg cannot deliver is what Pillow leaves there: 0, or 255 where the file is CMYK.
    bool allow_truncated = false;
    std::int64_t pixel_limit = jpeg_default_pixel_limit;  // width * height of the file
    int scan_limit = jpeg_default_scan_limit;             // of progressive and multi-scan files
    int scale_denom = 1;  // 1, 2, 4 or 8: the DCT gives every n-th pixel, as Pillow's draft mode
};

// Reads the header and holds it against the limits, without libjpeg and without allocating.
// Faults: those of jpeg_header, image_pixel_limit, jpeg_unsupported (large arithmetic-coded files).
Status jpeg_check(const std::uint8_t* data, std::int64_t size, const JpegOptions& options,
                  JpegHeader* header) noexcept;

// Pixels x0 <= x < x1 and y0 <= y < y1 of the output.
struct JpegBox {
    std::int64_t x0, y0, x1, y1;
};

// open(), then read() until height() rows have come, then close(); again for the next image.
// Faults carry the byte position and no item. After a fault only open() and close() may be called.
class JpegReader {
  public:
    JpegReader() noexcept;
    ~JpegReader();
    JpegReader(JpegReader&&) noexcept;
    JpegReader& operator=(JpegReader&&) noexcept;

    // Reads the header. `data` must stay valid until close(). Sizes are checked before libjpeg is
    // asked for anything.
    Status open(const std::uint8_t* data, std::int64_t size, const JpegOptions& options) noexcept;

    // Of the output: the file's, divided by scale_denom and rounded up.
    std::int64_t width() const noexcept;
    std::int64_t height() const noexcept;
    const JpegHeader& header() const noexcept;

    // Decodes `count` rows (>= 1), or what is left of the image, each width() * 3 bytes, RGB.
    // Without allow_truncated the last row comes only when what follows it is sound as well.
    Status read(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count,
                std::int64_t* got) noexcept;

    // Instead of read(): the pixels of a box within the output, end to end. The same as those of
    // all rows, and so are the faults up to the box's last row; what lies below is not read.
    Status read_box(const JpegBox& box, std::uint8_t* pixels) noexcept;

    void close() noexcept;

  private:
    struct State;
    std::unique_ptr<State> state_;  // made by the first open(); libjpeg's types stay out of here
};

}  // namespace refpix
