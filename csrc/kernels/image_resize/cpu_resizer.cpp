#include <algorithm>
#include <cstring>

#include "kernels/image_resize/resizer.h"

namespace refpix::resize {
namespace {

// How much of a picture a decoder delivers before the passes take it: all of it, if it is of an
// ordinary size. Cores slow down for some 10 us (AVX2) or 20 us (AVX-512) whenever wide multiplies
// set in, so taking turns every few rows cost more than rows staying in cache gained: measured,
// 0.4 ms per 640x480 picture with 16 rows, of 3.9 ms in total.
constexpr std::int64_t stream_bytes = 4 << 20;
constexpr std::int64_t stream_rows = 16;  // at least: a row of JPEG blocks

template <typename T>
T round_up(T value, T multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

void grow(std::vector<std::uint8_t>& buffer, std::int64_t bytes) {
    if (static_cast<std::int64_t>(buffer.size()) < bytes) {
        buffer.resize(bytes);
    }
}

}  // namespace

void Resizer::begin(const Geometry& geometry, Sink sink) {
    geometry_ = geometry;
    sink_ = sink;
    const bool planar = geometry.layout == Layout::planar;
    across_ = cached_taps(geometry.in_width, geometry.out_width, geometry.filter);
    down_ = cached_taps(geometry.in_height, geometry.out_height, geometry.filter);
    // Rows of equal width still pass when they have to be taken apart into planes.
    has_across_ = planar || geometry.in_width != geometry.out_width;
    has_down_ = geometry.in_height != geometry.out_height;
    vertical_first_ =
        has_down_ && (geometry.in_width == geometry.out_width ||
                      vertical_first(geometry.order, geometry.in_height, geometry.in_width,
                                     geometry.out_height, geometry.out_width));
    passes_ = row_passes(active_isa(), across_->has_digits && down_->has_digits);

    row_bytes_ = geometry.in_width * geometry.channels;
    plane_stride_ = round_up<std::ptrdiff_t>(geometry.out_width, 64);
    const std::ptrdiff_t across_bytes =
        planar ? 3 * plane_stride_ : geometry.out_width * geometry.channels;
    middle_bytes_ = vertical_first_ ? row_bytes_ : across_bytes;
    source_stride_ = round_up(row_bytes_ + row_padding, row_padding);
    middle_stride_ = round_up(std::max(middle_bytes_, across_bytes) + row_padding, row_padding);

    const std::int64_t window = std::int64_t{down_->groups} * group;
    const std::int64_t chunk = std::clamp<std::int64_t>(stream_bytes / source_stride_, stream_rows,
                                                        round_up(geometry.in_height, stream_rows));
    source_rows_ = round_up(vertical_first_ ? window + chunk : chunk, stream_rows);
    middle_rows_ = vertical_first_ ? block_rows : round_up<std::int64_t>(window + 8, block_rows);
    grow(source_, source_rows_ * source_stride_);
    grow(middle_, middle_rows_ * middle_stride_);
    grow(block_, (block_rows + 1) * middle_stride_);
    window_.resize(window);
    whole_ = nullptr;
    available_ = consumed_ = produced_ = emitted_ = 0;
}

const std::uint8_t* Resizer::source_row(std::int64_t y) const {
    if (whole_ == nullptr) {
        return source_.data() + y % source_rows_ * source_stride_;
    }
    return y < whole_rows_ ? whole_ + y * row_bytes_
                           : source_.data() + (y - whole_rows_) * source_stride_;
}

std::uint8_t* Resizer::space(std::int64_t* rows) {
    const std::int64_t oldest = !vertical_first_ ? consumed_
                                : produced_ < geometry_.out_height
                                    ? std::min<std::int64_t>(down_->start[produced_], available_)
                                    : available_;
    const std::int64_t slot = available_ % source_rows_;
    *rows = std::min({source_rows_ - (available_ - oldest), source_rows_ - slot,
                      geometry_.in_height - available_});
    return source_.data() + slot * source_stride_;
}

void Resizer::commit(std::int64_t rows) {
    available_ += rows;
    process();
}

void Resizer::run(const std::uint8_t* source, std::int64_t readable) {
    const std::int64_t height = geometry_.in_height;
    const std::int64_t safe = (readable - row_padding) / row_bytes_;
    whole_ = source;
    whole_rows_ = std::clamp<std::int64_t>(safe, 0, height);
    grow(source_, (height - whole_rows_) * source_stride_);
    for (std::int64_t y = whole_rows_; y < height; ++y) {
        std::memcpy(source_.data() + (y - whole_rows_) * source_stride_, source + y * row_bytes_,
                    row_bytes_);
    }
    available_ = height;
    process();
}

void Resizer::process() {
    if (vertical_first_) {
        vertical_first_step();
        return;
    }
    if (!has_across_ && !has_down_) {
        for (; emitted_ < available_; ++emitted_) {
            sink_.emit(sink_.context, emitted_, source_row(emitted_));
        }
        consumed_ = available_;
        return;
    }
    const bool finished = available_ == geometry_.in_height;
    while (available_ - consumed_ >= block_rows || (finished && consumed_ < available_)) {
        const std::int64_t rows = std::min<std::int64_t>(block_rows, available_ - consumed_);
        horizontal_block(consumed_, rows);
        consumed_ += rows;
        if (!has_down_) {
            continue;
        }
        for (; produced_ < geometry_.out_height && down_->last[produced_] < consumed_;
             ++produced_) {
            std::uint8_t* line = block_.data() + block_rows * middle_stride_;
            vertical_row(produced_, false, line);
            sink_.emit(sink_.context, produced_, line);
        }
    }
}

void Resizer::vertical_first_step() {
    while (produced_ < geometry_.out_height && down_->last[produced_] < available_) {
        const std::int64_t slot = produced_ % block_rows;
        vertical_row(produced_, true, middle_.data() + slot * middle_stride_);
        ++produced_;
        if (!has_across_) {
            sink_.emit(sink_.context, produced_ - 1, middle_.data() + slot * middle_stride_);
        } else if (slot == block_rows - 1 || produced_ == geometry_.out_height) {
            flush_block(slot + 1);
        }
    }
}

void Resizer::vertical_row(std::int64_t y, bool from_source, std::uint8_t* out) {
    const std::int64_t start = down_->start[y];
    const std::int64_t last = down_->last[y] - start;
    const auto taps = static_cast<std::int64_t>(window_.size());
    std::int64_t slot = start % middle_rows_;
    for (std::int64_t t = 0; t < taps; ++t) {
        if (t > last) {
            window_[t] = window_[last];  // has no weight; any row serves
        } else if (from_source) {
            window_[t] = source_row(start + t);
        } else {
            window_[t] = middle_.data() + slot * middle_stride_;
            slot = slot + 1 == middle_rows_ ? 0 : slot + 1;
        }
    }
    passes_.vertical({down_.get(), y, window_.data(), middle_bytes_, out});
}

// Source rows -> rows between the passes, or finished rows.
void Resizer::horizontal_block(std::int64_t first, std::int64_t rows) {
    HorizontalPass pass{across_.get(), geometry_.channels, geometry_.layout, {}, {}, plane_stride_};
    for (int r = 0; r < block_rows; ++r) {
        const std::int64_t y = first + std::min<std::int64_t>(r, rows - 1);
        pass.rows[r] = source_row(y);
        pass.out[r] = has_down_ ? middle_.data() + (first + r) % middle_rows_ * middle_stride_
                                : block_.data() + r * middle_stride_;
    }
    passes_.horizontal(pass);
    for (std::int64_t r = 0; !has_down_ && r < rows; ++r) {
        sink_.emit(sink_.context, emitted_++, block_.data() + r * middle_stride_);
    }
}

// Rows between the passes, vertical first -> finished rows.
void Resizer::flush_block(std::int64_t rows) {
    HorizontalPass pass{across_.get(), geometry_.channels, geometry_.layout, {}, {}, plane_stride_};
    for (int r = 0; r < block_rows; ++r) {
        pass.rows[r] = middle_.data() + std::min<std::int64_t>(r, rows - 1) * middle_stride_;
        pass.out[r] = block_.data() + r * middle_stride_;
    }
    passes_.horizontal(pass);
    for (std::int64_t r = 0; r < rows; ++r) {
        sink_.emit(sink_.context, emitted_++, block_.data() + r * middle_stride_);
    }
}

}  // namespace refpix::resize
