// Rows of a mask by way of its changes as bits: 64 pixels are a word, so that a row costs little
// more than storing it. Needs a Store of the calling file, which has the vector instructions.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/rle_decode/plane.h"

namespace refpix::rle_plane {

// Store::expand(out, bits) writes 64 pixels; Store::expand(out, bits, count) the first of them.
//
// Bits lie word column by word column, so that the walk down the pixel columns stays in cache, and
// word columns are cleared when they are reached: what lies left and right of an object costs
// nothing here.
template <typename Store>
class BitRows {
  public:
    BitRows(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept
        : out_(out),
          height_(mask.height),
          width_(mask.width),
          shift_(zeroed ? 0 : shift(mask, out)),
          words_((mask.width + shift_ + 63) / 64),
          zeroed_(zeroed),
          pitch_((mask.height + 15) / 8 * 8) {}  // not 4096 bytes, which would share cache sets

    // False when memory is short.
    bool reserve() noexcept {
        room_ = most_bits / pitch_;
        room_ = room_ < 1 ? 1 : room_ > most_words ? most_words : room_;
        room_ = room_ < words_ ? room_ : words_;
        bits_ = word_room(room_ * pitch_);
        return bits_ != nullptr;
    }

    // Sets a bit wherever the value changes, as walk() would tell of them. All that the loop needs
    // is local: for all the compiler knows, a word of bits might be a member.
    Fault mark(const Rle& mask) noexcept {
        const std::int64_t height = height_;
        std::int64_t left = mask.pixels();
        const std::int64_t width = width_ + shift_;
        std::int64_t x = shift_;
        std::int64_t y = 0;
        std::int64_t stop = 0;
        std::uint64_t* column = nullptr;
        const auto flip = [&](std::int64_t row) {
            if (x >= stop) {
                column = open(x / 64);
                stop = (x / 64 + 1) * 64;
            }
            column[row] ^= std::uint64_t{1} << (x % 64);
        };
        const std::uint32_t* const counts = mask.counts;
        const std::int64_t runs = mask.runs;
        for (std::int64_t run = 0; run < runs; run += 2) {
            const std::int64_t background = counts[run];
            if (background >= left) {
                return background == left ? rest(mask, run + 1) : Fault::rle_too_long;
            }
            left -= background;
            y += background;
            // Whether background goes on in the next column is chance, so that is no branch; nor
            // may the compiler make it one for the loop's sake.
            const std::int64_t next = y >= height;
            y -= height & -next;
            x += next;
            asm("" : "+r"(y));
            for (; y >= height; y -= height) {
                ++x;
            }
            flip(y);
            if (run + 1 == runs) {
                break;
            }
            const std::int64_t foreground = counts[run + 1];
            if (foreground >= left) {
                for (++x; foreground == left && x < width; ++x) {
                    flip(0);
                }
                return foreground == left ? rest(mask, run + 2) : Fault::rle_too_long;
            }
            left -= foreground;
            y += foreground;
            for (; y >= height; y -= height) {
                ++x;
                flip(0);
            }
            flip(y);
        }
        return Fault::rle_too_short;
    }

    void finish() noexcept { flush(words_); }

  private:
    static constexpr std::int64_t most_words = 128;
    static constexpr std::int64_t most_bits = 1 << 16;  // words: 512 KiB

    // How many columns to the left of the mask its first word begins, so that stores of words do
    // not straddle lines of cache. Only for what has one or more words of background on each side
    // in all rows, as stores would reach into the neighbouring rows else, and is written at once.
    static std::int64_t shift(const Rle& mask, const std::uint8_t* out) noexcept {
        const std::int64_t margin = 64 * mask.height;
        const bool inside =
            mask.runs % 2 != 0 && mask.counts[0] >= margin && mask.counts[mask.runs - 1] >= margin;
        const bool once = mask.width < 64 * most_words && mask.width * mask.height < 32 * most_bits;
        return inside && once && mask.width % 64 == 0
                   ? static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(out) % 64)
                   : 0;
    }

    // Word columns up to `word`; those stepped over are written out as well, as they carry on what
    // their left neighbour does not know: each starts from its own first row.
    // Returns the bits of `word`.
    [[gnu::noinline]] std::uint64_t* open(std::int64_t word) noexcept {
        if (first_ == end_) {
            first_ = end_ = word;
        } else if (word - first_ >= room_) {
            flush(end_);
            first_ = end_ = word;
        }
        std::uint64_t* const from = bits_ + (end_ - first_) * pitch_;
        std::uint64_t* const column = bits_ + (word - first_) * pitch_;
        std::memset(from, 0, static_cast<std::size_t>(column + pitch_ - from) * sizeof *from);
        end_ = word + 1;
        return column;
    }

    // Writes word columns written_..to, those of first_..end_ from their bits, others as zeros.
    void flush(std::int64_t to) noexcept {
        const std::int64_t from = written_;
        written_ = to;
        if (first_ == end_) {
            if (!zeroed_) {
                clear(from, to);
            }
            return;
        }
        if (!zeroed_ && from == 0 && to == words_) {
            store_all();
            return;
        }
        std::uint64_t row_bits[most_words] = {};
        const int tail = static_cast<int>(width_ - 64 * (to - 1));
        // A whole word may go beyond the row where later rows are still to come.
        const std::int64_t careless =
            zeroed_ || from > 0 || to < words_ ? -1 : height_ * width_ - 64 * words_;
        const std::int64_t height = height_;
        const std::int64_t width = width_;
        std::uint8_t* row = out_;
        for (std::int64_t y = 0; y < height; ++y, row += width) {
            if (zeroed_ && !any(y, row_bits)) {
                continue;
            }
            const bool whole = tail >= 64 || row - out_ <= careless;
            store(row, y, row_bits, from, whole ? to : to - 1);
            if (!whole && to == end_) {
                const std::int64_t last = end_ - 1 - first_;
                row_bits[last] ^= bits_[last * pitch_ + y];
                Store::expand(row + 64 * (to - 1), row_bits[last], tail);
            } else if (!whole && !zeroed_) {
                Store::expand(row + 64 * (to - 1), 0, tail);
            }
        }
    }

    // The whole mask from first to last byte: what lies between the words of one row and those of
    // the next is one gap. Stores may reach beyond what they are for: that is written later.
    void store_all() const noexcept {
        const std::int64_t words = end_ - first_;
        const std::int64_t pitch = pitch_;
        const std::int64_t height = height_;
        const std::int64_t width = width_;
        const std::int64_t start = 64 * first_;
        std::uint8_t* const stop = out_ + height * width;
        std::uint8_t* at = out_;
        std::uint8_t* row = out_ - shift_;
        std::uint64_t row_bits[most_words] = {};
        for (std::int64_t y = 0; y < height; ++y, row += width) {
            zeros(at, row + start, stop);
            at = row + start;
            const std::uint64_t* changes = bits_ + y;
            const std::int64_t safe = stop - at >= 64 * words ? words : (stop - at) / 64;
            for (std::int64_t word = 0; word < safe; ++word, changes += pitch, at += 64) {
                const std::uint64_t bits = row_bits[word] ^ *changes;
                row_bits[word] = bits;
                Store::expand(at, bits);
            }
            if (safe < words) {
                row_bits[safe] ^= *changes;
                Store::expand(at, row_bits[safe], static_cast<int>(row + width - at));
            }
            at = safe < words || at > row + width ? row + width : at;
        }
        zeros(at, stop, stop);
    }

    static void zeros(std::uint8_t* at, std::uint8_t* to, std::uint8_t* stop) noexcept {
        if (at < to && stop - at >= 64) {
            Store::fill(at, false);
            at += 64 - reinterpret_cast<std::uintptr_t>(at) % 64;
            for (; at < to && stop - at >= 64; at += 64) {
                Store::fill(at, false);
            }
        }
        if (at < to) {
            std::memset(at, 0, static_cast<std::size_t>(to - at));
        }
    }

    // Whether a row has foreground, whose bits are still those of the row above it. False where it
    // has no changes to it either.
    bool any(std::int64_t y, const std::uint64_t* row_bits) const noexcept {
        std::uint64_t all = 0;
        for (std::int64_t word = 0; word < end_ - first_; ++word) {
            all |= row_bits[word] | bits_[word * pitch_ + y];
        }
        return all != 0;
    }

    // Locals again, as bytes written might be members too.
    void store(std::uint8_t* row, std::int64_t y, std::uint64_t* row_bits, std::int64_t from,
               std::int64_t to) const noexcept {
        const std::int64_t first = first_;
        const std::int64_t end = end_ < to ? end_ : to;
        const std::int64_t pitch = pitch_;
        const std::uint64_t* changes = bits_ + y;
        const bool zeros = !zeroed_;
        if (zeros) {
            for (std::int64_t word = from; word < first; ++word) {
                Store::expand(row + 64 * word, 0);
            }
        }
        std::uint8_t* at = row + 64 * first;
        for (std::int64_t word = 0; word < end - first; ++word, changes += pitch, at += 64) {
            const std::uint64_t bits = row_bits[word] ^ *changes;
            row_bits[word] = bits;
            Store::expand(at, bits);
        }
        if (zeros) {
            for (std::int64_t word = end; word < to; ++word) {
                Store::expand(row + 64 * word, 0);
            }
        }
    }

    void clear(std::int64_t from, std::int64_t to) const noexcept {
        const std::int64_t start = 64 * from;
        const std::int64_t stop = 64 * to < width_ ? 64 * to : width_;
        for (std::int64_t y = 0; y < height_; ++y) {
            std::memset(out_ + y * width_ + start, 0, static_cast<std::size_t>(stop - start));
        }
    }

    std::uint8_t* out_;
    std::int64_t height_;
    std::int64_t width_;
    std::int64_t shift_;
    std::int64_t words_;
    bool zeroed_;
    std::int64_t pitch_;
    std::int64_t room_ = 0;
    std::uint64_t* bits_ = nullptr;
    std::int64_t first_ = 0;  // word columns first_..end_ have bits
    std::int64_t end_ = 0;
    std::int64_t written_ = 0;  // word columns that are in out
};

template <typename Store>
Fault bit_rows(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    BitRows<Store> rows(mask, zeroed, out);
    if (!rows.reserve()) {
        return Fault::out_of_memory;
    }
    const Fault fault = rows.mark(mask);
    if (fault == Fault::none) {
        rows.finish();
    }
    return fault;
}

// Runs one after the other in stores of 64 bytes, which may reach into the next run: it is written
// later. Most runs of a person are shorter than that.
template <typename Store>
Fault vector_columns(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    std::uint8_t* const end = out + mask.pixels();
    for (std::int64_t run = 0; run < mask.runs; ++run) {
        const std::int64_t length = mask.counts[run];
        if (length > end - out) {
            return Fault::rle_too_long;
        }
        const bool foreground = run % 2 != 0;
        std::uint8_t* const stop = out + length;
        if (end - out < length + 64) {
            std::memset(out, foreground, static_cast<std::size_t>(length));
        } else {
            Store::fill(out, foreground);
            // What the foreground before may have reached into is background again now.
            std::uint8_t* at = foreground || !zeroed ? out + 64 : stop;
            for (; at < stop; at += 64) {
                Store::fill(at, foreground);
            }
        }
        out = stop;
    }
    return out == end ? Fault::none : Fault::rle_too_short;
}

}  // namespace refpix::rle_plane
