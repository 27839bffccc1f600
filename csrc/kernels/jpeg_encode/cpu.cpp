// libjpeg's errors longjmp. Every local of the function that holds the setjmp is trivial, and what
// has to be freed is reached through pointers that are set before.
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/jpeg_encode/jpeg_encode.h"

// clang-format off: jpeglib.h needs size_t and FILE.
#include <jpeglib.h>
// clang-format on

namespace refpix::cpu {
namespace {

constexpr int rows_at_once = 16;  // of 4:2:0 blocks

struct Encoder {
    jpeg_compress_struct info;
    jpeg_error_mgr errors;
    std::jmp_buf jump;
    unsigned char* file = nullptr;  // malloc'ed by libjpeg
    unsigned long size = 0;
};

// Where the rows of the file's picture lie: in the image itself, in `black`, or put together.
class Rows {
  public:
    Rows(const JpegEncode& args, std::int64_t item) noexcept
        : args_(args),
          image_(args.images + item * args.height * args.width * args.channels),
          x_(args.positions == nullptr ? 0 : args.positions[2 * item]),
          y_(args.positions == nullptr ? 0 : args.positions[2 * item + 1]),
          row_bytes_(args.width * args.channels),
          canvas_bytes_(args.canvas_width * args.channels),
          whole_(args.width == args.canvas_width) {}

    // One black row, and rows_at_once to put together.
    std::int64_t scratch_bytes() const noexcept { return (rows_at_once + 1) * canvas_bytes_; }
    void use(std::uint8_t* zeroed) noexcept { scratch_ = zeroed; }

    const std::uint8_t* row(std::int64_t y) noexcept {
        if (y < y_ || y >= y_ + args_.height) {
            return scratch_;
        }
        const std::uint8_t* from = image_ + (y - y_) * row_bytes_;
        if (whole_) {
            return from;
        }
        std::uint8_t* line = scratch_ + (1 + y % rows_at_once) * canvas_bytes_;
        std::memcpy(line + x_ * args_.channels, from, static_cast<std::size_t>(row_bytes_));
        return line;
    }

  private:
    const JpegEncode& args_;
    const std::uint8_t* image_;
    std::int64_t x_, y_, row_bytes_, canvas_bytes_;
    bool whole_;
    std::uint8_t* scratch_ = nullptr;
};

// False when libjpeg gave up, which it does for want of memory only: sizes were checked.
bool encode(const JpegEncode& args, Rows& rows, Encoder& encoder) noexcept {
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
    jpeg_mem_dest(&info, &encoder.file, &encoder.size);
    info.image_width = static_cast<JDIMENSION>(args.canvas_width);
    info.image_height = static_cast<JDIMENSION>(args.canvas_height);
    info.input_components = static_cast<int>(args.channels);
    info.in_color_space = args.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, args.quality, TRUE);
    jpeg_start_compress(&info, TRUE);
    JSAMPROW lines[rows_at_once];
    while (info.next_scanline < info.image_height) {
        const std::int64_t first = info.next_scanline;
        std::int64_t count = args.canvas_height - first;
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

bool fits(const JpegEncode& args, std::int64_t item) noexcept {
    if (args.positions == nullptr) {
        return args.height <= args.canvas_height && args.width <= args.canvas_width;
    }
    const std::int64_t x = args.positions[2 * item];
    const std::int64_t y = args.positions[2 * item + 1];
    return x >= 0 && y >= 0 && x <= args.canvas_width - args.width &&
           y <= args.canvas_height - args.height;
}

Status encode_item(const JpegEncode& args, std::int64_t item,
                   Ragged<std::uint8_t>* files) noexcept {
    if (!fits(args, item)) {
        return {Fault::image_bad_roi, item, -1};
    }
    Rows rows(args, item);
    auto* scratch =
        static_cast<std::uint8_t*>(std::calloc(1, static_cast<std::size_t>(rows.scratch_bytes())));
    if (scratch == nullptr) {
        return {Fault::out_of_memory, item, -1};
    }
    rows.use(scratch);
    Encoder encoder;
    const bool done = encode(args, rows, encoder) &&
                      files->set(item, encoder.file, static_cast<std::int64_t>(encoder.size));
    std::free(encoder.file);
    std::free(scratch);
    return done ? Status{} : Status{Fault::out_of_memory, item, -1};
}

}  // namespace

Status jpeg_encode(const JpegEncode& args, Ragged<std::uint8_t>* files) noexcept {
    if (!files->resize(args.count)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(encode_item(args, item, files)); });
    return faults.status();
}

}  // namespace refpix::cpu
