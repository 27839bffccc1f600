// libjpeg's errors longjmp. Every local of the function that holds the setjmp is trivial, and what
// has to be freed is reached through pointers that are set before.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kernels/jpeg_encode/encoder.h"

// clang-format off: jpeglib.h needs size_t and FILE.
#include <jpeglib.h>
// clang-format on

namespace refpix {
namespace {

constexpr int rows_at_once = 16;  // of 4:2:0 blocks

struct Encoder {
    jpeg_compress_struct info;
    jpeg_error_mgr errors;
    std::jmp_buf jump;
};

// Where the rows of the file's picture lie: in the image itself, in `scratch`, whose first row is
// black, or put together there.
class Rows {
  public:
    explicit Rows(const JpegPicture& picture) noexcept
        : picture_(picture),
          row_bytes_(picture.width * picture.channels),
          canvas_bytes_(picture.canvas_width * picture.channels),
          whole_(picture.width == picture.canvas_width) {}

    // One black row, and rows_at_once to put together.
    std::int64_t scratch_bytes() const noexcept { return (rows_at_once + 1) * canvas_bytes_; }
    void use(std::uint8_t* zeroed) noexcept { scratch_ = zeroed; }

    const std::uint8_t* row(std::int64_t y) noexcept {
        if (y < picture_.y || y >= picture_.y + picture_.height) {
            return scratch_;
        }
        const std::uint8_t* from = picture_.image + (y - picture_.y) * row_bytes_;
        if (whole_) {
            return from;
        }
        std::uint8_t* line = scratch_ + (1 + y % rows_at_once) * canvas_bytes_;
        std::memcpy(line + picture_.x * picture_.channels, from,
                    static_cast<std::size_t>(row_bytes_));
        return line;
    }

  private:
    const JpegPicture& picture_;
    std::int64_t row_bytes_, canvas_bytes_;
    bool whole_;
    std::uint8_t* scratch_ = nullptr;
};

bool compress(const JpegPicture& picture, Rows& rows, Encoder& encoder, std::uint8_t** data,
              unsigned long* size) noexcept {
    jpeg_compress_struct& info = encoder.info;
    info.err = jpeg_std_error(&encoder.errors);
    info.client_data = &encoder;
    encoder.errors.error_exit = [](j_common_ptr common) {
        std::longjmp(static_cast<Encoder*>(common->client_data)->jump, 1);
    };
    encoder.errors.output_message = [](j_common_ptr) {};
    if (setjmp(encoder.jump) != 0) {
        jpeg_destroy_compress(&info);
        return false;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, data, size);
    info.image_width = static_cast<JDIMENSION>(picture.canvas_width);
    info.image_height = static_cast<JDIMENSION>(picture.canvas_height);
    info.input_components = static_cast<int>(picture.channels);
    info.in_color_space = picture.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, picture.quality, TRUE);
    info.restart_in_rows = picture.rows_apart ? 1 : 0;
    jpeg_start_compress(&info, TRUE);
    JSAMPROW lines[rows_at_once];
    while (info.next_scanline < info.image_height) {
        const std::int64_t first = info.next_scanline;
        std::int64_t count = picture.canvas_height - first;
        count = count < rows_at_once ? count : rows_at_once;
        for (std::int64_t i = 0; i < count; ++i) {
            lines[i] = const_cast<JSAMPROW>(rows.row(first + i));
        }
        jpeg_write_scanlines(&info, lines, static_cast<JDIMENSION>(count));
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    return true;
}

}  // namespace

JpegFile::~JpegFile() {
    std::free(data_);
}

bool JpegFile::encode(const JpegPicture& picture) noexcept {
    Rows rows(picture);
    auto* scratch =
        static_cast<std::uint8_t*>(std::calloc(1, static_cast<std::size_t>(rows.scratch_bytes())));
    if (scratch == nullptr) {
        return false;
    }
    rows.use(scratch);
    Encoder encoder;
    const bool done = compress(picture, rows, encoder, &data_, &size_);
    std::free(scratch);
    return done;
}

}  // namespace refpix
