#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/rle_encode/changes.h"
#include "kernels/rle_encode/rle_encode.h"

namespace refpix {
namespace rle_changes {
namespace {

const Path& best_path() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return avx512::path;
    }
    if (active_isa() >= Isa::avx2) {
        return avx2::path;
    }
#endif
    return scalar::path;
}

// A change by rows is a number, row << column_bits | column, until it is sorted.
constexpr int column_bits = 12;
constexpr std::int64_t strip_columns = std::int64_t{1} << column_bits;
constexpr std::int64_t most_rows = std::int64_t{1} << (32 - column_bits);
// Pixels compared at a time.
constexpr std::int64_t piece = strip_columns;
constexpr std::int64_t word_room = 512;
// By columns, changes become runs when there are this many of them or of pixels.
constexpr std::int64_t batch_changes = 1 << 16;
constexpr std::int64_t batch_pixels = std::int64_t{1} << 31;

// One mask: finds the changes, puts them in order, writes the distances between them.
class Encoder {
  public:
    Fault encode(const RleEncode& args, std::int64_t item, Ragged<std::uint32_t>* out) noexcept {
        begin(args, item);
        const bool done = pixels_ == 0 || (by_rows() ? rows() : by_columns());
        if (done && fault_ == Fault::none && append(pixels_) &&
            !out->set(item, runs_.data(), run_count_)) {
            fault_ = Fault::out_of_memory;
        }
        changes_.release_large();
        sorted_.release_large();
        runs_.release_large();
        return done || fault_ != Fault::none ? fault_ : Fault::out_of_memory;
    }

  private:
    void begin(const RleEncode& args, std::int64_t item) noexcept {
        mask_ = args.masks + item * args.stride_item;
        height_ = args.height;
        width_ = args.width;
        pixels_ = height_ * width_;
        stride_y_ = args.stride_y;
        stride_x_ = args.stride_x;
        const Path& path = best_path();
        rule_ = args.change ? path.byte : path.nonzero;
        extract_ = path.extract;
        change_count_ = 0;
        run_count_ = 0;
        last_ = 0;
        words_end_ = words_;
        streamed_ = false;
        row_ = 0;
        fault_ = Fault::none;
    }

    const std::uint8_t* pixel(std::int64_t y, std::int64_t x) const noexcept {
        return mask_ + y * stride_y_ + x * stride_x_;
    }

    // Along the axis whose neighbours are next to one another, or nearest.
    bool by_rows() const noexcept {
        const bool column_is_line = height_ == 1 || stride_y_ == 1;
        if (height_ > most_rows || width_ == 1 || (column_is_line && stride_x_ == height_)) {
            return false;
        }
        if (stride_x_ == 1 || stride_y_ == 1) {
            return stride_x_ == 1;
        }
        return std::abs(stride_x_) <= std::abs(stride_y_);
    }

    // ---- changes

    bool room() noexcept {
        return changes_.reserve(change_count_ + 64 * word_room + extract_slack);
    }

    bool drain() noexcept {
        if (!room()) {
            return false;
        }
        std::uint32_t* const at = changes_.data() + change_count_;
        if (streamed_) {
            change_count_ += extract_(split_, split_rows(), at) - at;
        } else {
            change_count_ += extract_(words_, words_end_, at) - at;
        }
        words_end_ = words_;
        return true;
    }

    // Room for the words of a piece.
    bool word_space() noexcept {
        return words_end_ - words_ <= word_room - piece / 64 - 2 || drain();
    }

    // length <= piece
    bool compare(const std::uint8_t* a, const std::uint8_t* b, std::int64_t length,
                 std::int64_t base) noexcept {
        if (!word_space()) {
            return false;
        }
        words_end_ = rule_.compare(a, b, length, static_cast<std::uint32_t>(base), words_end_);
        return true;
    }
    bool follow(const std::uint8_t* line, std::int64_t length, std::int64_t base) noexcept {
        if (!word_space()) {
            return false;
        }
        words_end_ = rule_.follow(line, length, static_cast<std::uint32_t>(base), words_end_);
        return true;
    }

    // ---- runs

    // A run that ends at `position` of the mask.
    bool append(std::int64_t position) noexcept {
        if (position - last_ > UINT32_MAX) {
            fault_ = Fault::rle_run_overflow;
            return false;
        }
        if (!runs_.reserve(run_count_ + 1)) {
            fault_ = Fault::out_of_memory;
            return false;
        }
        runs_.data()[run_count_++] = static_cast<std::uint32_t>(position - last_);
        last_ = position;
        return true;
    }

    // Ends of runs in ascending order, counted from `base`.
    bool append(const std::uint32_t* ends, std::int64_t count, std::int64_t base) noexcept {
        if (count == 0) {
            return true;
        }
        if (!append(base + ends[0]) || !runs_.reserve(run_count_ + count)) {
            return false;
        }
        std::uint32_t* const runs = runs_.data() + run_count_;
        for (std::int64_t i = 1; i < count; ++i) {
            runs[i - 1] = ends[i] - ends[i - 1];
        }
        run_count_ += count - 1;
        last_ = base + ends[count - 1];
        return true;
    }

    // ---- by columns: changes come in order

    bool by_columns() noexcept {
        const bool one_line = (height_ == 1 || stride_y_ == 1) && stride_x_ == height_;
        const std::int64_t lines = one_line || height_ == 1 ? 1 : width_;
        const std::int64_t length = pixels_ / lines;
        const std::int64_t stride = height_ == 1 ? stride_x_ : stride_y_;
        base_ = 0;
        std::uint8_t previous = 0;
        for (std::int64_t line = 0; line < lines; ++line) {
            if (!column(mask_ + line * stride_x_, length, stride, line * length, &previous)) {
                return false;
            }
        }
        return flush_columns();
    }

    bool flush_columns() noexcept {
        if (!drain() || !append(changes_.data(), change_count_, base_)) {
            return false;
        }
        change_count_ = 0;
        return true;
    }

    bool column(const std::uint8_t* line, std::int64_t length, std::int64_t stride,
                std::int64_t position, std::uint8_t* previous) noexcept {
        for (std::int64_t done = 0; done < length;) {
            const std::int64_t start = position + done;
            if (start - base_ > batch_pixels || change_count_ > batch_changes) {
                if (!flush_columns()) {
                    return false;
                }
                base_ = start;
            }
            std::int64_t count = std::min(length - done, piece);
            const std::uint8_t* at = line + done * stride;
            if (stride != 1) {
                count = std::min(count, piece - 1);
                lines_[0][0] = *previous;
                copy(at, stride, count, lines_[0] + 1);
                at = lines_[0] + 1;
                if (!follow(at, count, start - base_)) {
                    return false;
                }
            } else {
                // The first pixel's neighbour is not beside it. Pieces end where a line of cache
                // does, so that loads of the next do not straddle two.
                count = std::min(count, piece - past_line(at));
                const int first = done == 0;
                if ((first && !compare(at, previous, 1, start - base_)) ||
                    !follow(at + first, count - first, start - base_ + first)) {
                    return false;
                }
            }
            *previous = at[count - 1];
            done += count;
        }
        return true;
    }

    // Bytes since the line of cache began.
    static std::int64_t past_line(const std::uint8_t* at) noexcept {
        return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(at) % 64);
    }

    static void copy(const std::uint8_t* from, std::int64_t stride, std::int64_t count,
                     std::uint8_t* to) noexcept {
        for (std::int64_t i = 0; i < count; ++i) {
            to[i] = from[i * stride];
        }
    }

    // ---- by rows: changes are sorted by column

    bool rows() noexcept {
        for (std::int64_t x = 0; x < width_; x += strip_columns) {
            const std::int64_t columns = std::min(width_ - x, strip_columns);
            change_count_ = 0;
            if (!row_changes(x, columns) || !drain() || !sort(columns) ||
                !append(sorted_.data(), change_count_, x * height_)) {
                return false;
            }
        }
        return true;
    }

    // `columns` pixels of row y from column x on, where they lie, or a copy of them.
    const std::uint8_t* row(std::int64_t y, std::int64_t x, std::int64_t columns,
                            int copy_to) noexcept {
        const std::uint8_t* const at = pixel(y, x);
        if (stride_x_ == 1) {
            return at;
        }
        copy(at, stride_x_, columns, lines_[copy_to]);
        return lines_[copy_to];
    }

    bool row_changes(std::int64_t x, std::int64_t columns) noexcept {
        // The top of a column follows the bottom of the one before it.
        const std::uint8_t before = x > 0 ? *pixel(height_ - 1, x - 1) : std::uint8_t{0};
        const std::uint8_t* above = row(height_ - 1, x, columns, 1);
        const std::uint8_t* at = row(0, x, columns, 0);
        if (!compare(at, &before, 1, 0) || !compare(at + 1, above, columns - 1, 1)) {
            return false;
        }
        streamed_ = stride_x_ == 1 && stride_y_ == width_ && width_ >= 64 && columns == width_;
        if (streamed_) {
            return stream_rows();
        }
        for (std::int64_t y = 1; y < height_; ++y) {
            above = at;
            at = row(y, x, columns, static_cast<int>(y % 2));
            if (!compare(at, above, columns, y << column_bits)) {
                return false;
            }
        }
        return true;
    }

    // Rows without gaps are one line, whose words may begin in a row and end in the next.
    bool stream_rows() noexcept {
        for (std::int64_t done = width_; done < pixels_;) {
            const std::uint8_t* const at = mask_ + done;
            const std::int64_t count = std::min(pixels_ - done, piece - past_line(at));
            if (!compare(at, at - width_, count, done)) {
                return false;
            }
            done += count;
        }
        return true;
    }

    // Words whose bases are pixels, in ascending order, to words of single rows in split_. Returns
    // their end.
    Word* split_rows() noexcept {
        const auto width = static_cast<std::uint32_t>(width_);
        std::uint32_t row = row_;
        Word* to = split_;
        for (const Word* word = words_; word < words_end_; ++word) {
            std::uint32_t column = word->base - row * width;
            for (; column >= width; column -= width) {
                ++row;
            }
            const std::uint32_t left = width - column;
            *to++ = {word->bits, row << column_bits | column};
            if (left < 64) {
                to[-1].bits &= (std::uint64_t{1} << left) - 1;
                *to++ = {word->bits >> left, (row + 1) << column_bits};
            }
        }
        row_ = row;
        return to;
    }

    // From row by row to column by column, as positions from the strip's first pixel on.
    bool sort(std::int64_t columns) noexcept {
        if (!sorted_.reserve(change_count_ + 1)) {
            return false;
        }
        std::fill_n(starts_, columns + 1, 0);
        const std::uint32_t* const changes = changes_.data();
        constexpr std::uint32_t column_mask = strip_columns - 1;
        for (std::int64_t i = 0; i < change_count_; ++i) {
            ++starts_[(changes[i] & column_mask) + 1];
        }
        std::uint32_t start = 0;
        for (std::int64_t x = 0; x < columns; ++x) {
            start += starts_[x + 1];
            starts_[x + 1] = start;
        }
        std::uint32_t* const sorted = sorted_.data();
        const auto height = static_cast<std::uint32_t>(height_);
        for (std::int64_t i = 0; i < change_count_; ++i) {
            const std::uint32_t x = changes[i] & column_mask;
            sorted[starts_[x]++] = x * height + (changes[i] >> column_bits);
        }
        return true;
    }

    const std::uint8_t* mask_ = nullptr;
    std::int64_t height_ = 0;
    std::int64_t width_ = 0;
    std::int64_t pixels_ = 0;
    std::int64_t stride_y_ = 0;
    std::int64_t stride_x_ = 0;
    Rule rule_ = {};
    Extract* extract_ = nullptr;

    Fault fault_ = Fault::none;
    std::int64_t change_count_ = 0;
    std::int64_t run_count_ = 0;
    std::int64_t last_ = 0;  // where the last run ended
    std::int64_t base_ = 0;  // of the positions in changes_, by columns

    Word words_[word_room];
    Word* words_end_ = words_;
    bool streamed_ = false;  // words count pixels, not rows and columns
    std::uint32_t row_ = 0;  // of the last word split
    Word split_[2 * word_room];
    Scratch<std::uint32_t> changes_;
    Scratch<std::uint32_t> sorted_;
    Scratch<std::uint32_t> runs_;
    std::uint32_t starts_[strip_columns + 1];
    std::uint8_t lines_[2][piece];
};

}  // namespace
}  // namespace rle_changes

namespace cpu {

Status rle_encode(const RleEncode& args, Ragged<std::uint32_t>* out) noexcept {
    if (!out->resize(args.count)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        // Behind a pointer: the address of a thread_local object itself would be asked for anew at
        // every use.
        thread_local std::unique_ptr<rle_changes::Encoder> encoder;
        if (encoder == nullptr) {
            encoder.reset(new (std::nothrow) rle_changes::Encoder);
        }
        const Fault fault =
            encoder != nullptr ? encoder->encode(args, item, out) : Fault::out_of_memory;
        if (fault != Fault::none) {
            faults.report({fault, item, -1});
        }
    });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
