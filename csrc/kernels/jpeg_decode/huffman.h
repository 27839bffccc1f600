// Huffman decoding of a sequential JPEG's only scan, two to three times as fast as libjpeg-turbo's,
// which takes two thirds of a decode. It knows sound data only: whatever is odd makes it give up,
// and libjpeg decodes the picture anew, so that what damage turns into stays libjpeg's business.
//
// A table's entry holds a whole coefficient, code and value, where both fit in the bits looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace refpix {

// The codes of one table, as DHT has them.
struct HuffmanCodes {
    const std::uint8_t* counts = nullptr;  // [1..16]: codes of each length
    const std::uint8_t* symbols = nullptr;
};

class HuffmanTable {
  public:
    // Does nothing when these are the codes it has. They are sound: libjpeg has checked them.
    void assign(const HuffmanCodes& codes) noexcept;

  private:
    friend struct HuffmanBits;
    static constexpr int looked_at = 11;  // bits; the AC tables of a file lie in the L1 cache
    bool same(const HuffmanCodes& codes) const noexcept;
    void fill(std::uint32_t code, int length, int symbol) noexcept;

    // From the low end: 8 bits how many bits to consume, 8 how many places further in the zigzag,
    // 16 the coefficient. Where that is not all known: cpu_huffman.cpp.
    std::uint32_t entries_[1 << looked_at];
    std::uint32_t
        limits_[17];          // of each length, one more than the greatest code, shifted to 16 bits
    std::int32_t first_[17];  // what to add to a code of each length to get its symbol's place
    std::uint8_t counts_[17] = {};
    std::uint8_t symbols_[256] = {};
    int total_ = -1;
};

// Where decoding stands in the bits of a segment.
struct HuffmanCursor {
    std::uint64_t bits = 0;   // the next ones, from the top
    std::uint64_t count = 0;  // how many of them are there
    const std::uint8_t* next = nullptr;
};

class HuffmanScan {
  public:
    static constexpr int most_components = 4;
    static constexpr int most_blocks = 10;  // of an MCU

    // Takes the scan's bytes, from behind its header. False: libjpeg is to decode it, as its end is
    // missing, restart markers are not where they belong, or memory is short.
    bool open(const std::uint8_t* data, std::int64_t size, std::int64_t mcus,
              std::int64_t restart_interval) noexcept;
    // To what an MCU consists of; tables are numbered as in the file.
    void add_block(int component, int dc_table, const HuffmanCodes& dc, int ac_table,
                   const HuffmanCodes& ac) noexcept {
        dc_[dc_table].assign(dc);
        ac_[ac_table].assign(ac);
        blocks_[block_count_++] = {component, &dc_[dc_table], &ac_[ac_table]};
    }

    // The next MCU's coefficients into blocks that are zero, in natural order; null: nowhere.
    // False: give up.
    bool decode_mcu(std::int16_t (*const* blocks)[64]) noexcept;

    bool finished() const noexcept { return mcu_ == mcus_; }
    // Of the marker that ends the scan, within the bytes that open() took.
    std::int64_t end() const noexcept {
        return segments_[static_cast<std::size_t>(segment_)].marker;
    }

  private:
    // Bytes between two markers, without the zeros that are stuffed behind 0xff.
    struct Segment {
        std::int64_t first, last;  // in bytes_
        std::int64_t marker;       // where the marker behind it lies in the file
    };

    bool enter(std::int64_t segment) noexcept;
    bool split(const std::uint8_t* data, std::int64_t size);

    struct Block {
        int component;
        const HuffmanTable *dc, *ac;
    };

    HuffmanTable dc_[most_components], ac_[most_components];
    std::vector<std::uint8_t> bytes_;
    std::vector<Segment> segments_;
    std::int64_t segment_ = 0, mcu_ = 0, mcus_ = 0, restart_interval_ = 0;
    Block blocks_[most_blocks];
    int block_count_ = 0;
    int last_dc_[most_components] = {};
    HuffmanCursor cursor_;
};

}  // namespace refpix
