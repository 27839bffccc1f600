// One picture through libjpeg.
#pragma once

#include <cstdint>

#include "kernels/jpeg_encode/jpeg_encode.h"

namespace refpix {

// One item of a JpegEncode, which lies within its canvas.
struct JpegPicture {
    const std::uint8_t* image = nullptr;  // (height, width, channels)
    std::int64_t height = 0, width = 0;
    std::int64_t channels = 3;
    std::int64_t canvas_height = 0, canvas_width = 0;
    std::int64_t x = 0, y = 0;
    int quality = 75;
    // Whether each row of MCUs ends at a restart marker, and is coded without regard to others.
    bool rows_apart = false;

    std::int64_t mcu() const noexcept { return channels == 3 ? 16 : 8; }  // pixels, either way
};

// What libjpeg makes.
class JpegFile {
  public:
    JpegFile() = default;
    JpegFile(const JpegFile&) = delete;
    JpegFile& operator=(const JpegFile&) = delete;
    ~JpegFile();

    // False when libjpeg gave up, which it does for want of memory only: sizes were checked.
    bool encode(const JpegPicture& picture) noexcept;

    const std::uint8_t* data() const noexcept { return data_; }
    std::int64_t size() const noexcept { return static_cast<std::int64_t>(size_); }

  private:
    std::uint8_t* data_ = nullptr;  // malloc'ed by libjpeg
    unsigned long size_ = 0;
};

// The file of a picture whose image fills few of the canvas's MCUs, byte for byte libjpeg's: only
// the image's are encoded. False, and nothing done, where that is not possible; `*status` is ok or
// out_of_memory.
bool jpeg_encode_patch(const JpegPicture& picture, std::int64_t item, Ragged<std::uint8_t>* files,
                       Status* status) noexcept;

}  // namespace refpix
