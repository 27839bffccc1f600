// A picture that is black but for a rectangle. The bits of a black MCU behind a black one are
// always the same, and those of the rectangle's MCUs depend on nothing but the MCU in front. So
// libjpeg encodes the rectangle with a column of black MCUs on either side, each row of MCUs apart,
// and the file is put together of those rows and of the bits for black ones.
#include <bit>
#include <cstring>
#include <vector>

#include "kernels/jpeg_encode/encoder.h"

namespace refpix {
namespace {

std::uint64_t load_big_endian(const std::uint8_t* from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word;
}

// Up to the first byte of the scan's data.
struct Header {
    std::int64_t size = 0;
    std::int64_t frame_size = 0;  // where the frame says its height, then its width

    explicit Header(const JpegFile& file) noexcept {
        constexpr std::uint8_t frame = 0xc0, scan = 0xda;
        std::int64_t at = 2;
        for (std::uint8_t marker = 0; marker != scan;) {
            marker = file.data()[at + 1];
            if (marker == frame) {
                frame_size = at + 5;
            }
            at += 2 + (file.data()[at + 2] << 8 | file.data()[at + 3]);
        }
        size = at;
    }
};

// What lies between two markers, without the zeros that are stuffed behind 0xff. It ends with a
// black MCU, thus with a zero, so that ones at the end are padding.
class Bits {
  public:
    // Returns where the marker behind begins.
    const std::uint8_t* read(const std::uint8_t* from) {
        bytes_.clear();
        for (; from[0] != 0xff || from[1] == 0; ++from) {
            bytes_.push_back(*from);
            from += *from == 0xff;
        }
        count_ = static_cast<std::int64_t>(bytes_.size()) * 8;
        count_ -= bytes_.empty() ? 0 : std::countr_one(bytes_.back());
        bytes_.resize(bytes_.size() + sizeof(std::uint64_t));
        return from;
    }
    std::int64_t count() const noexcept { return count_; }
    // 1 to 32 of them in the low bits.
    std::uint32_t at(std::int64_t place, int count) const noexcept {
        const std::uint64_t word = load_big_endian(bytes_.data() + place / 8) << place % 8;
        return static_cast<std::uint32_t>(word >> (64 - count));
    }

  private:
    std::vector<std::uint8_t> bytes_;
    std::int64_t count_ = 0;
};

class BitWriter {
  public:
    explicit BitWriter(std::uint8_t* to) noexcept : to_(to) {}

    // At most 32.
    void add(std::uint32_t bits, int count) noexcept {
        word_ = word_ << count | bits;
        held_ += count;
        if (held_ >= 32) {
            held_ -= 32;
            write(static_cast<std::uint32_t>(word_ >> held_));
        }
    }
    void add(const Bits& bits, std::int64_t place) noexcept {
        for (; bits.count() - place >= 32; place += 32) {
            add(bits.at(place, 32), 32);
        }
        if (const int rest = static_cast<int>(bits.count() - place); rest > 0) {
            add(bits.at(place, rest), rest);
        }
    }
    // Fills the last byte with ones, as libjpeg does. Returns where the next one goes.
    std::uint8_t* finish() noexcept {
        const int padding = (8 - held_ % 8) % 8;
        add((1U << padding) - 1, padding);
        for (; held_ > 0; held_ -= 8) {
            write(static_cast<std::uint8_t>(word_ >> (held_ - 8)));
        }
        return to_;
    }

  private:
    void write(std::uint8_t byte) noexcept {
        *to_++ = byte;
        if (byte == 0xff) {
            *to_++ = 0;
        }
    }
    void write(std::uint32_t four) noexcept {
        for (int shift = 24; shift >= 0; shift -= 8) {
            write(static_cast<std::uint8_t>(four >> shift));
        }
    }

    std::uint8_t* to_;
    std::uint64_t word_ = 0;
    int held_ = 0;  // bits of word_ that are not written
};

// In MCUs; the rectangle's end is exclusive.
struct Grid {
    std::int64_t columns, rows;
    std::int64_t left, top, right, bottom;

    explicit Grid(const JpegPicture& picture) noexcept {
        const std::int64_t mcu = picture.mcu();
        const auto up = [mcu](std::int64_t pixels) { return (pixels + mcu - 1) / mcu; };
        columns = up(picture.canvas_width);
        rows = up(picture.canvas_height);
        left = picture.x / mcu;
        top = picture.y / mcu;
        right = up(picture.x + picture.width);
        bottom = up(picture.y + picture.height);
    }
    // With a black column on either side.
    std::int64_t encoded() const noexcept { return (right - left + 2) * (bottom - top); }

    // Of so many MCUs the two small encodes take the time.
    static constexpr std::int64_t worth_it = 64;
    bool spares() const noexcept {
        return left > 0 && right < columns && columns * rows - encoded() > worth_it;
    }
};

JpegPicture black(const JpegPicture& picture, std::int64_t columns) noexcept {
    JpegPicture result = picture;
    result.height = 0;
    result.canvas_width = columns * picture.mcu();
    result.canvas_height = picture.mcu();
    return result;
}

JpegPicture part(const JpegPicture& picture, const Grid& grid) noexcept {
    const std::int64_t mcu = picture.mcu();
    const std::int64_t x0 = (grid.left - 1) * mcu, y0 = grid.top * mcu;
    JpegPicture result = picture;
    result.x = picture.x - x0;
    result.y = picture.y - y0;
    result.canvas_width = (grid.right + 1) * mcu - x0;
    // Where the canvas ends within an MCU libjpeg repeats its last row, here as there.
    const std::int64_t y1 = grid.bottom * mcu;
    result.canvas_height = (y1 < picture.canvas_height ? y1 : picture.canvas_height) - y0;
    result.rows_apart = true;
    return result;
}

struct Pieces {
    JpegFile one, two, rectangle;  // one and two black MCUs
};

// Returns the file's size.
std::int64_t put_together(const JpegPicture& picture, const Grid& grid, const Pieces& pieces,
                          std::uint8_t* file) {
    const Header header(pieces.one);
    Bits first, both, row;
    first.read(pieces.one.data() + header.size);
    both.read(pieces.two.data() + header.size);
    const int again = static_cast<int>(both.count() - first.count());
    const std::uint32_t again_bits = both.at(first.count(), again);

    std::memcpy(file, pieces.one.data(), static_cast<std::size_t>(header.size));
    std::uint8_t* size = file + header.frame_size;
    for (const std::int64_t side : {picture.canvas_height, picture.canvas_width}) {
        *size++ = static_cast<std::uint8_t>(side >> 8);
        *size++ = static_cast<std::uint8_t>(side);
    }
    BitWriter out(file + header.size);
    const auto add_black = [&](std::int64_t count) {
        for (; count > 0; --count) {
            out.add(again_bits, again);
        }
    };
    out.add(first, 0);
    add_black(grid.top * grid.columns + grid.left - 1);
    const std::uint8_t* from = pieces.rectangle.data() + Header(pieces.rectangle).size;
    for (std::int64_t y = grid.top; y < grid.bottom; ++y) {
        from = row.read(from) + 2;
        out.add(row, first.count());  // a row's first MCU is one that is black
        const bool last = y + 1 == grid.bottom;
        add_black(grid.columns - grid.right - 1 + (last ? 0 : grid.left));
    }
    add_black((grid.rows - grid.bottom) * grid.columns);
    std::uint8_t* end = out.finish();
    *end++ = 0xff;
    *end++ = 0xd9;
    return end - file;
}

}  // namespace

bool jpeg_encode_patch(const JpegPicture& picture, std::int64_t item, Ragged<std::uint8_t>* files,
                       Status* status) noexcept {
    const Grid grid(picture);
    if (!grid.spares()) {
        return false;
    }
    *status = {Fault::out_of_memory, item, -1};
    Pieces pieces;
    if (!pieces.one.encode(black(picture, 1)) || !pieces.two.encode(black(picture, 2)) ||
        !pieces.rectangle.encode(part(picture, grid))) {
        return true;
    }
    // Black MCUs take 32 bits at most; at another place in a byte any bits may need as much
    // stuffing as they have bytes.
    constexpr std::int64_t bytes_of_black = 4;
    const std::int64_t most = pieces.one.size() + 2 * pieces.rectangle.size() +
                              2 * bytes_of_black * grid.columns * grid.rows;
    std::uint8_t* file = files->reserve(item, most);
    if (file == nullptr) {
        return true;
    }
    try {
        files->shorten(item, put_together(picture, grid, pieces, file));
    } catch (...) {  // std::bad_alloc
        return true;
    }
    *status = {};
    return true;
}

}  // namespace refpix
