// 32 characters at a time, whatever the lengths of their numbers. At each character stands what the
// number would be that ends there; a table packs those of true ends together, differences are added
// up, and eight runs are stored at once.
#include <immintrin.h>

#include "kernels/rle_from_string/blocks.h"

namespace refpix::rle::avx2 {
namespace {

constexpr std::int64_t block_size = 32;

// Entry m brings the 16-bit lanes of m's bits to the front; lanes behind them become 0.
struct PackTable {
    alignas(16) std::uint8_t bytes[256][16];

    constexpr PackTable() : bytes() {
        for (int m = 0; m < 256; ++m) {
            int to = 0;
            for (int lane = 0; lane < 8; ++lane) {
                if ((m >> lane & 1) != 0) {
                    bytes[m][to++] = static_cast<std::uint8_t>(2 * lane);
                    bytes[m][to++] = static_cast<std::uint8_t>(2 * lane + 1);
                }
            }
            while (to < 16) {
                bytes[m][to++] = 0x80;
            }
        }
    }
};
constexpr PackTable pack_table;

// Lanes 6 and 7 of eight runs to all pairs; crossed when an odd number of runs were new.
alignas(32) constexpr std::uint32_t last_pair[2][8] = {{6, 7, 6, 7, 6, 7, 6, 7},
                                                       {7, 6, 7, 6, 7, 6, 7, 6}};

__m256i bytes_of(int value) noexcept {
    return _mm256_set1_epi8(static_cast<char>(value));
}

__m256i load(const std::uint8_t* from) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

// What 32 characters say. Masks: bit i is character i.
struct Block {
    __m256i first;       // differences that end at characters 0..7, 16..23
    __m256i second;      // and at 8..15, 24..31
    std::uint32_t ends;  // it is the last of its number
    std::uint32_t wide;  // as third of a number it would give 2^12 or more, or less than -2^12
    bool valid;          // all are in the alphabet
};

// Differences are right for numbers of up to three characters that are not `wide`. Of the two
// characters before the block those are read that belong to a number.
Block look_at(const std::uint8_t* text) noexcept {
    const __m256i raw = load(text);
    const __m256i last = _mm256_sub_epi8(raw, bytes_of(48));
    // A digit that goes on is 0 to 31 here, one that ends is negative.
    const __m256i before = _mm256_sub_epi8(load(text - 1), bytes_of(80));
    const __m256i before_that = _mm256_sub_epi8(load(text - 2), bytes_of(80));
    const __m256i value =
        _mm256_sub_epi8(_mm256_xor_si256(last, bytes_of(16)), bytes_of(16));  // -16 to 15
    const __m256i sign = _mm256_cmpgt_epi8(_mm256_setzero_si256(), value);
    // A difference is low + 32 * high, low from 0 to 31. From the third character's shift only its
    // low three bits stay, which is all unless it is wide.
    const __m256i shifted = _mm256_and_si256(_mm256_slli_epi16(last, 5), bytes_of(0xe0));
    const __m256i low =
        _mm256_blendv_epi8(_mm256_blendv_epi8(before_that, before, before_that), last, before);
    const __m256i high = _mm256_blendv_epi8(
        _mm256_blendv_epi8(_mm256_or_si256(before, shifted), value, before_that), sign, before);
    const __m256i weights = _mm256_set1_epi16(0x2001);
    const __m256i size = _mm256_xor_si256(value, sign);
    Block block;
    block.first = _mm256_maddubs_epi16(weights, _mm256_unpacklo_epi8(low, high));
    block.second = _mm256_maddubs_epi16(weights, _mm256_unpackhi_epi8(low, high));
    block.ends = ~static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(last, 2)));
    block.wide =
        static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpgt_epi8(size, bytes_of(3))));
    block.valid = _mm256_testz_si256(last, bytes_of(0xc0)) != 0;
    return block;
}

__m256i pack_control(std::uint32_t low, std::uint32_t high) noexcept {
    const auto entry = [](std::uint32_t mask) {
        return _mm_load_si128(reinterpret_cast<const __m128i*>(pack_table.bytes[mask & 0xff]));
    };
    return _mm256_inserti128_si256(_mm256_castsi128_si256(entry(low)), entry(high), 1);
}

// Packs the lanes of both halves and adds to each lane those 2, 4 and 6 before it in its half. All
// fits 16 bits, as only four lanes below 2^12 are added.
__m256i packed_sums(__m256i lanes, __m256i control) noexcept {
    const __m256i lower_pair = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 4, 5, 6, 7, 4, 5, 6, 7));
    __m256i sums = _mm256_shuffle_epi8(lanes, control);
    sums = _mm256_add_epi16(sums, _mm256_slli_epi64(sums, 32));
    return _mm256_add_epi16(sums, _mm256_shuffle_epi8(sums, lower_pair));
}

// The runs so far.
class Writer {
  public:
    Writer(std::uint32_t* counts, std::int64_t runs) noexcept : counts_(counts), runs_(runs) {
        reload();
    }
    std::int64_t runs() const noexcept { return runs_; }
    // Whether there was a run of 2^31 or more, among them all that are no run lengths.
    bool any_high() const noexcept { return _mm256_movemask_ps(_mm256_castsi256_ps(seen_)) != 0; }

    // False, and nothing is done, when that gives no run length.
    bool add_one(std::int64_t difference) noexcept {
        const std::int64_t run = difference + counts_[runs_ - 2];
        if (run >> 32 != 0) {
            return false;
        }
        counts_[runs_++] = static_cast<std::uint32_t>(run);
        reload();
        return true;
    }

    // Numbers that end at the characters of `ends`.
    void add(const Block& block, std::uint32_t ends) noexcept {
        const __m256i first = packed_sums(block.first, pack_control(ends, ends >> 16));
        const __m256i second = packed_sums(block.second, pack_control(ends >> 8, ends >> 24));
        const auto upto = [&](unsigned characters) {
            return static_cast<std::int64_t>(_mm_popcnt_u64(_bzhi_u32(ends, characters)));
        };
        store(_mm256_castsi256_si128(first), 0, upto(8));
        store(_mm256_castsi256_si128(second), upto(8), upto(16));
        store(_mm256_extracti128_si256(first, 1), upto(16), upto(24));
        store(_mm256_extracti128_si256(second, 1), upto(24), upto(32));
        runs_ += upto(32);
    }

  private:
    void reload() noexcept {
        const std::uint64_t pair =
            std::uint64_t{counts_[runs_ - 1]} << 32 | std::uint64_t{counts_[runs_ - 2]};
        last_ = _mm256_set1_epi64x(static_cast<std::int64_t>(pair));
        seen_ = _mm256_or_si256(seen_, last_);
    }
    // Stores eight, of which stop - start are wanted.
    void store(__m128i sums, std::int64_t start, std::int64_t stop) noexcept {
        const __m256i runs = _mm256_add_epi32(_mm256_cvtepi16_epi32(sums), last_);
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(counts_ + runs_ + start), runs);
        seen_ = _mm256_or_si256(seen_, runs);
        const auto* order = reinterpret_cast<const __m256i*>(last_pair[(stop - start) & 1]);
        last_ = _mm256_permutevar8x32_epi32(runs, _mm256_load_si256(order));
    }

    std::uint32_t* const counts_;
    std::int64_t runs_;
    __m256i last_;                           // the last two, four times
    __m256i seen_ = _mm256_setzero_si256();  // all ORed
};

// Reads the number at text[next], of 8 characters at most. Returns how many it has, 0 when that is
// not so. length is 8 or more.
std::int64_t read_number(const std::uint8_t* text, std::int64_t length, std::int64_t next,
                         std::int64_t* value) noexcept {
    const std::int64_t from = next < length - 8 ? next : length - 8;
    std::uint64_t codes;
    __builtin_memcpy(&codes, text + from, 8);
    codes >>= (8 * (next - from)) & 63;  // zeros from behind the text end a number that is bad
    const std::uint64_t moved = codes + 0x1010101010101010;  // to 64..127
    const std::uint64_t ends = ~moved & 0x2020202020202020;
    const std::uint64_t bits = _tzcnt_u64(ends) + 3;  // 67 when there is none
    const std::uint64_t bad = (codes & 0x8080808080808080) | (~moved & 0x4040404040404040);
    if (next >= length || ends == 0 || _bzhi_u64(bad, static_cast<unsigned>(bits)) != 0) {
        return 0;
    }
    const std::uint64_t unused = 64 - bits / 8 * 5;
    const std::uint64_t digits = _pext_u64(moved, 0x1f1f1f1f1f1f1f1f);
    *value = static_cast<std::int64_t>(digits << unused) >> unused;
    return static_cast<std::int64_t>(bits / 8);
}

// The first three numbers, which are no differences; false when one is left to others.
bool read_first(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                Cursor* at) noexcept {
    while (at->runs < 3) {
        std::int64_t run;
        const std::int64_t characters = read_number(text, length, at->next, &run);
        if (characters == 0 || run >> 32 != 0) {
            return false;
        }
        counts[at->runs++] = static_cast<std::uint32_t>(run);
        at->next += characters;
    }
    return true;
}

// The characters around a block's: bits 0..31 the 32 before it, 32..63 its own. Bits tell ends.
class Window {
  public:
    // At a number's start.
    void begin() noexcept { bits_ = std::uint64_t{1} << 31; }
    void set(std::uint32_t ends) noexcept {
        bits_ = (bits_ & 0xffffffff) | std::uint64_t{ends} << 32;
    }
    void move_on(std::int64_t characters) noexcept { bits_ >>= characters; }
    // Characters of numbers that Block has no difference for: fourth ones, or wide third ones.
    std::uint32_t hard(std::uint32_t wide) const noexcept {
        const std::uint64_t third = ~(bits_ << 1 | bits_ << 2);
        const std::uint64_t fourth = third & ~(bits_ << 3);
        return static_cast<std::uint32_t>((third & bits_) >> 32 & wide) |
               static_cast<std::uint32_t>(fourth >> 32);
    }
    // Where the number after the last end starts, seen from the block.
    std::int64_t next() const noexcept { return block_size - __builtin_clzll(bits_); }

  private:
    std::uint64_t bits_;
};

// Reads blocks until the end, a hard number or a bad character. The last block overlaps with the
// one before. Returns where the next number starts. length is 34 or more, next at most length - 1.
std::int64_t read_blocks(const std::uint8_t* text, std::int64_t length, std::int64_t next,
                         Writer* out) noexcept {
    const std::int64_t last_start = length - block_size;
    std::int64_t start = next < last_start ? next : last_start;
    std::uint32_t fresh = ~std::uint32_t{0} << (next - start);  // characters not yet seen
    Window window;
    window.begin();
    for (;;) {
        const Block block = look_at(text + start);
        if (!block.valid) {
            return next;
        }
        window.set(block.ends);
        const std::uint32_t hard = window.hard(block.wide) & fresh;
        if (hard != 0) {
            const std::uint32_t ends = block.ends & (_blsmsk_u32(hard) >> 1);
            window.set(ends);
            out->add(block, ends & fresh);
            return start + window.next();
        }
        out->add(block, block.ends & fresh);
        next = start + window.next();
        if (start == last_start) {
            return next;
        }
        const std::int64_t left = last_start - start;
        const std::int64_t step = left < block_size ? left : block_size;
        start += step;
        fresh = ~std::uint32_t{0} << (block_size - step);
        window.move_on(step);
    }
}

// From the fourth number on; length is 34 or more.
std::int64_t parse_rest(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                        Cursor* at) noexcept {
    Writer out(counts, at->runs);
    std::int64_t next = at->next;
    while (next < length) {
        next = read_blocks(text, length, next, &out);
        std::int64_t difference;
        const std::int64_t characters = read_number(text, length, next, &difference);
        if (characters == 0 || !out.add_one(difference)) {
            break;
        }
        next += characters;
    }
    if (out.any_high()) {
        return next;
    }
    *at = {next, out.runs()};
    return next + 1;
}

// 8 to 33 characters.
void copy_short(const std::uint8_t* from, std::int64_t length, std::uint8_t* to) noexcept {
    const auto both_ends = [&](auto* part) {
        __builtin_memcpy(part, from, sizeof *part);
        auto behind = *part;
        __builtin_memcpy(&behind, from + length - sizeof *part, sizeof *part);
        __builtin_memcpy(to, part, sizeof *part);
        __builtin_memcpy(to + length - sizeof *part, &behind, sizeof *part);
    };
    if (length >= 32) {
        __m256i part;
        both_ends(&part);
    } else if (length >= 16) {
        __m128i part;
        both_ends(&part);
    } else {
        std::uint64_t part;
        both_ends(&part);
    }
}

}  // namespace

std::int64_t parse(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                   Cursor* at) noexcept {
    constexpr std::int64_t shortest = 34;
    constexpr std::int64_t room = 64;
    if (length < 8) {
        return length;
    }
    if (!read_first(text, length, counts, at)) {
        return at->next + 1;
    }
    if (length >= shortest) {
        return parse_rest(text, length, counts, at);
    }
    // To the end of characters that are numbers of their own and not read.
    std::uint8_t copy[room];
    const __m256i zeros = bytes_of(48);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(copy), zeros);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(copy + 32), zeros);
    const std::int64_t shift = room - length;
    copy_short(text, length, copy + shift);
    at->next += shift;
    const std::int64_t stop = parse_rest(copy, room, counts, at) - shift;
    at->next -= shift;
    return stop;
}

}  // namespace refpix::rle::avx2
