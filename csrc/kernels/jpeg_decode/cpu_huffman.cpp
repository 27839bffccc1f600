#include <bit>
#include <cstring>

#include "kernels/jpeg_decode/huffman.h"

namespace refpix {
namespace {

// Of an entry's byte that says how many places to go further. What a coefficient has is 1 to 16.
constexpr std::uint32_t end_of_block = 128;
// Nothing is consumed yet; the upper bytes are the symbol and its code's length, or 0 where the
// code is longer than what is looked at.
constexpr std::uint32_t incomplete = 192;

constexpr std::uint32_t entry(std::uint32_t consumed, std::uint32_t places, std::uint32_t upper) {
    return upper << 16 | places << 8 | consumed;
}

// Bits behind a code to the number they mean (T.81, F.2.2.1, EXTEND).
constexpr int extended(std::uint32_t bits, int count) noexcept {
    return static_cast<int>(bits) < 1 << (count - 1) ? static_cast<int>(bits) - (1 << count) + 1
                                                     : static_cast<int>(bits);
}

// A run of 15 zeros and another one; any other symbol without bits ends a block.
constexpr int zero_run = 0xf0;

constexpr std::uint8_t natural_order[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};
constexpr int last_place = 63;

// Sound data read this much at most in one MCU, so what is read beyond the end is zeros.
constexpr std::size_t bytes_of_mcu = HuffmanScan::most_blocks * 64 * 4 + 64;

}  // namespace

bool HuffmanTable::same(const HuffmanCodes& codes) const noexcept {
    return total_ >= 0 && std::memcmp(counts_ + 1, codes.counts + 1, 16) == 0 &&
           std::memcmp(symbols_, codes.symbols, static_cast<std::size_t>(total_)) == 0;
}

void HuffmanTable::assign(const HuffmanCodes& codes) noexcept {
    if (same(codes)) {
        return;
    }
    std::memcpy(counts_, codes.counts, sizeof counts_);
    std::memcpy(symbols_, codes.symbols, sizeof symbols_);
    for (std::uint32_t& e : entries_) {
        e = entry(0, incomplete, 0);
    }
    std::uint32_t code = 0;
    total_ = 0;
    for (int length = 1; length <= 16; ++length, code <<= 1) {
        first_[length] = total_ - static_cast<std::int32_t>(code);
        for (int i = 0; i < counts_[length]; ++i, ++code, ++total_) {
            if (length <= HuffmanTable::looked_at) {
                fill(code, length, symbols_[total_]);
            }
        }
        limits_[length] = code << (16 - length);
    }
}

// All entries that begin with a code.
void HuffmanTable::fill(std::uint32_t code, int length, int symbol) noexcept {
    const int rest = HuffmanTable::looked_at - length, size = symbol & 15;
    for (std::uint32_t behind = 0; behind < 1U << rest; ++behind) {
        std::uint32_t& e = entries_[code << rest | behind];
        if (size > rest) {
            e = entry(0, incomplete, static_cast<std::uint32_t>(length << 8 | symbol));
        } else if (size == 0) {
            e = entry(static_cast<std::uint32_t>(length), symbol == zero_run ? 16 : end_of_block,
                      0);
        } else {
            const int value = extended(behind >> (rest - size), size);
            e = entry(static_cast<std::uint32_t>(length + size),
                      static_cast<std::uint32_t>((symbol >> 4) + 1),
                      static_cast<std::uint16_t>(value));
        }
    }
}

// The reader of one MCU: a cursor in registers.
struct HuffmanBits {
    std::uint64_t bits;
    std::uint64_t count;
    const std::uint8_t* next;

    // At least 56 bits, without a branch: whole bytes are added to what is left, and bits beyond
    // them, which are the same when they come again.
    void refill() noexcept {
        std::uint64_t word;
        std::memcpy(&word, next, sizeof word);
        if constexpr (std::endian::native == std::endian::little) {
            word = __builtin_bswap64(word);
        }
        bits |= word >> count;
        next += (63 - count) >> 3;
        count |= 56;
    }
    void consume(std::uint64_t n) noexcept {
        bits <<= n & 63;
        count -= n & 63;
    }
    std::uint32_t look(const HuffmanTable& table) const noexcept {
        return table.entries_[bits >> (64 - HuffmanTable::looked_at)];
    }

    // What an incomplete entry stands for: the same with all known, its bits consumed. A code that
    // is in no table gives an entry that is still incomplete.
    std::uint32_t complete(const HuffmanTable& table, std::uint32_t e) noexcept {
        refill();
        int symbol = static_cast<int>(e >> 16 & 255);
        std::uint64_t length = e >> 24;
        if (length == 0) {
            const auto ahead = static_cast<std::uint32_t>(bits >> 48);
            for (length = HuffmanTable::looked_at + 1;
                 length <= 16 && ahead >= table.limits_[length];) {
                ++length;
            }
            if (length > 16) {
                return entry(0, incomplete, 0);
            }
            symbol = table.symbols_[((ahead >> (16 - length)) + table.first_[length]) & 255];
        }
        consume(length);
        const int size = symbol & 15;
        if (size == 0) {
            return entry(0, symbol == zero_run ? 16 : end_of_block, 0);
        }
        const int value = extended(static_cast<std::uint32_t>(bits >> (64 - size)), size);
        consume(static_cast<std::uint64_t>(size));
        return entry(0, static_cast<std::uint32_t>((symbol >> 4) + 1),
                     static_cast<std::uint16_t>(value));
    }
};

namespace {

constexpr std::uint32_t places(std::uint32_t e) noexcept {
    return e >> 8 & 255;
}
constexpr std::int16_t value(std::uint32_t e) noexcept {
    return static_cast<std::int16_t>(e >> 16);
}

// False for what sound data do not have.
inline bool decode_block(HuffmanBits& in, const HuffmanTable& dc, const HuffmanTable& ac,
                         int* last_dc, std::int16_t* out) noexcept {
    in.refill();
    std::uint32_t e = in.look(dc);
    in.consume(e);
    if (places(e) == incomplete) {
        e = in.complete(dc, e);
        if (places(e) == incomplete) {
            return false;
        }
    }
    *last_dc += value(e);
    if (*last_dc != static_cast<std::int16_t>(*last_dc)) {
        return false;
    }
    out[0] = static_cast<std::int16_t>(*last_dc);

    std::uint32_t at = 0;
    for (;;) {
        in.refill();
        // Four times what is looked at are fewer bits than a refill gives.
        for (int i = 0; i < 4; ++i) {
            e = in.look(ac);
            in.consume(e);
            at += places(e);
            if (at >= last_place) {
                break;
            }
            out[natural_order[at]] = value(e);
        }
        if (at < last_place) {
            continue;
        }
        if (at >= incomplete) {
            at -= incomplete;
            e = in.complete(ac, e);
            at += places(e);
            if (at < last_place) {
                out[natural_order[at]] = value(e);
                continue;
            }
            if (at >= incomplete) {
                return false;
            }
        }
        if (at == last_place) {
            out[last_place] = value(e);
            return true;
        }
        return at >= end_of_block;
    }
}

}  // namespace

bool HuffmanScan::open(const std::uint8_t* data, std::int64_t size, std::int64_t mcus,
                       std::int64_t restart_interval) noexcept {
    block_count_ = 0;
    segments_.clear();
    mcu_ = 0;
    mcus_ = mcus;
    restart_interval_ = restart_interval;
    try {
        bytes_.resize(static_cast<std::size_t>(size) + bytes_of_mcu);
        return split(data, size) && enter(0);
    } catch (...) {
        return false;
    }
}

// Copies the bytes without what is stuffed between them; segments are told by their markers.
bool HuffmanScan::split(const std::uint8_t* data, std::int64_t size) {
    const std::uint8_t *from = data, *end = data + size;
    std::uint8_t* to = bytes_.data();
    std::int64_t first = 0;
    for (;;) {
        const auto* ff = static_cast<const std::uint8_t*>(
            std::memchr(from, 0xff, static_cast<std::size_t>(end - from)));
        const std::uint8_t* code = ff == nullptr ? end : ff + 1;
        while (code != end && *code == 0xff) {
            ++code;  // a marker may begin with any number of them
        }
        if (code == end || (*code == 0 && code != ff + 1)) {
            return false;  // no marker ends the scan, or zeros are stuffed as encoders do not
        }
        const auto length = static_cast<std::size_t>(ff - from);
        std::memcpy(to, from, length);
        to += length;
        from = code + 1;
        if (*code == 0) {
            *to++ = 0xff;
            continue;
        }
        segments_.push_back({first, to - bytes_.data(), ff - data});
        first = to - bytes_.data();
        const bool restart = *code >= 0xd0 && *code <= 0xd7;
        const auto expected = 0xd0 + (segments_.size() - 1) % 8;
        if (!restart || restart_interval_ == 0) {
            break;
        }
        if (*code != expected) {
            return false;
        }
    }
    std::memset(to, 0, bytes_of_mcu);
    return true;
}

bool HuffmanScan::enter(std::int64_t segment) noexcept {
    if (segment >= static_cast<std::int64_t>(segments_.size())) {
        return false;
    }
    segment_ = segment;
    cursor_ = {0, 0, bytes_.data() + segments_[static_cast<std::size_t>(segment)].first};
    std::memset(last_dc_, 0, sizeof last_dc_);
    return true;
}

bool HuffmanScan::decode_mcu(std::int16_t (*const* blocks)[64]) noexcept {
    if (restart_interval_ > 0 && mcu_ > 0 && mcu_ % restart_interval_ == 0 &&
        !enter(segment_ + 1)) {
        return false;
    }
    std::int16_t nowhere[64];
    HuffmanBits in{cursor_.bits, cursor_.count, cursor_.next};
    for (int i = 0; i < block_count_; ++i) {
        std::int16_t* out = blocks == nullptr ? nowhere : *blocks[i];
        const Block& block = blocks_[i];
        if (!decode_block(in, *block.dc, *block.ac, last_dc_ + block.component, out)) {
            return false;
        }
    }
    cursor_ = {in.bits, in.count, in.next};
    ++mcu_;
    // Beyond the segment lies what belongs to the next one, or zeros.
    const std::uint8_t* end = bytes_.data() + segments_[static_cast<std::size_t>(segment_)].last;
    return (in.next - end) * 8 <= static_cast<std::int64_t>(in.count);
}

}  // namespace refpix
