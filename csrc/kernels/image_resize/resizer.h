// Resizes an image whose rows arrive from above: a decoder writes straight into it, a few megabytes
// at a time, and of larger pictures only the rows that are still needed are held.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/image_resize/passes.h"
#include "kernels/image_resize/window.h"

namespace refpix::resize {

struct Geometry {
    std::int64_t in_height = 0;
    std::int64_t in_width = 0;
    std::int64_t out_height = 0;
    std::int64_t out_width = 0;
    int channels = 3;
    ResizeFilter filter = ResizeFilter::bicubic;
    PassOrder order = PassOrder::pillow13;
    Layout layout = Layout::interleaved;
};

class Resizer {
  public:
    // Takes a finished output row. Interleaved: out_width * channels bytes. Planar: three planes,
    // plane_stride() apart.
    struct Sink {
        void (*emit)(void* context, std::int64_t y, const std::uint8_t* row);
        void* context;
    };

    // May throw std::bad_alloc.
    void begin(const Geometry& geometry, Sink sink);

    std::ptrdiff_t plane_stride() const { return plane_stride_; }

    // Streaming: room for *rows >= 1 source rows, source_stride() apart; then say how many came.
    std::uint8_t* space(std::int64_t* rows);
    std::ptrdiff_t source_stride() const { return source_stride_; }
    void commit(std::int64_t rows);

    // Not streaming: the whole source, of which `readable` bytes may be read.
    void run(const std::uint8_t* source, std::int64_t readable);

  private:
    const std::uint8_t* source_row(std::int64_t y) const;
    void process();
    void vertical_first_step();
    void horizontal_block(std::int64_t first, std::int64_t rows);
    void flush_block(std::int64_t rows);
    void vertical_row(std::int64_t y, bool from_source, std::uint8_t* out);

    Geometry geometry_;
    Sink sink_{};
    RowPasses passes_{};
    std::shared_ptr<const Taps> across_;
    std::shared_ptr<const Taps> down_;
    bool has_across_ = false;
    bool has_down_ = false;
    bool vertical_first_ = false;
    std::ptrdiff_t row_bytes_ = 0;     // of a source row
    std::ptrdiff_t plane_stride_ = 0;  // of a resized row, when planar
    std::ptrdiff_t source_stride_ = 0;
    std::ptrdiff_t middle_stride_ = 0;  // of rows between the passes, and of finished rows
    std::ptrdiff_t middle_bytes_ = 0;

    const std::uint8_t* whole_ = nullptr;  // not streaming
    std::int64_t whole_rows_ = 0;          // rows of it that have row_padding bytes behind them
    std::int64_t source_rows_ = 0;         // capacity of the ring
    std::int64_t middle_rows_ = 0;
    std::int64_t available_ = 0;  // source rows that came
    std::int64_t consumed_ = 0;   // source rows that the first, horizontal, pass has taken
    std::int64_t produced_ = 0;   // output rows that the vertical pass has made
    std::int64_t emitted_ = 0;

    std::vector<std::uint8_t> source_;  // ring, or the last rows of a whole source
    std::vector<std::uint8_t> middle_;  // ring of rows between the passes, or a block of them
    std::vector<std::uint8_t> block_;   // output of a horizontal block
    std::vector<const std::uint8_t*> window_;
};

}  // namespace refpix::resize
