// One mask's boundary with 64 pixels to a word, once per instruction set.
#pragma once

#include <cstdint>
#include <cstring>

namespace refpix::boundary {

struct Picture {
    const std::uint8_t* mask = nullptr;
    std::uint8_t* out = nullptr;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t distance = 0;       // below half of the height and of the width
    std::uint64_t* words = nullptr;  // scratch_words(height, width) of them
};

inline constexpr std::int64_t row_words(std::int64_t width) {
    return (width + 63) / 64;
}

// The packed mask, the same eroded, and two rows with zeros behind them.
inline constexpr std::int64_t scratch_words(std::int64_t height, std::int64_t width) {
    return 2 * height * row_words(width) + 4 * row_words(width) + 4;
}

using Boundary = void(const Picture& picture) noexcept;

namespace scalar {
Boundary boundary;
}
namespace avx2 {
Boundary boundary;
}
namespace avx512 {
Boundary boundary;
}

// `Bits` packs and unpacks rows. It lies in the unnamed namespace of each instruction set's file,
// so that no two share what is compiled here.
template <typename Bits>
struct Erosion {
    // words[i] &= words[i + steps pixels], `words` of them, zeros behind.
    static void and_ahead(std::uint64_t* words, std::int64_t count, std::int64_t steps) noexcept {
        const std::uint64_t* ahead = words + steps / 64;
        const int bits = static_cast<int>(steps % 64);
        if (bits == 0) {
            for (std::int64_t i = 0; i < count; ++i) {
                words[i] &= ahead[i];
            }
            return;
        }
        for (std::int64_t i = 0; i < count; ++i) {
            words[i] &= ahead[i] >> bits | ahead[i + 1] << (64 - bits);
        }
    }

    // out[i] = row[i - steps pixels], zeros before.
    static void shift(const std::uint64_t* row, std::int64_t count, std::int64_t steps,
                      std::uint64_t* out) noexcept {
        const std::int64_t skip = steps / 64;
        const int bits = static_cast<int>(steps % 64);
        for (std::int64_t i = 0; i < skip && i < count; ++i) {
            out[i] = 0;
        }
        for (std::int64_t i = skip; i < count; ++i) {
            const std::uint64_t before =
                bits != 0 && i > skip ? row[i - skip - 1] >> (64 - bits) : 0;
            out[i] = row[i - skip] << bits | before;
        }
    }

    // Pixels with foreground up to `distance` left and right. Windows double in length, ahead of
    // their first pixel, then move back by half.
    static void along_row(const std::uint64_t* row, std::int64_t count, std::int64_t distance,
                          std::uint64_t* line, std::uint64_t* out) noexcept {
        std::memcpy(line, row, static_cast<std::size_t>(count) * sizeof *line);
        const std::int64_t length = 2 * distance + 1;
        std::int64_t window = 1;
        for (; 2 * window <= length; window *= 2) {
            and_ahead(line, count, window);
        }
        if (window < length) {
            and_ahead(line, count, length - window);
        }
        shift(line, count, distance, out);
    }

    // The same down the columns, within rows first..last of `rows`; row y then stands for the
    // window that begins there.
    static void down_columns(std::uint64_t* rows, std::int64_t count, std::int64_t first,
                             std::int64_t last, std::int64_t distance) noexcept {
        const std::int64_t length = 2 * distance + 1;
        std::int64_t window = 1;
        for (; 2 * window <= length; window *= 2) {
            and_below(rows, count, first, last - 2 * window, window);
        }
        if (window < length) {
            and_below(rows, count, first, last - length, length - window);
        }
    }
    static void and_below(std::uint64_t* rows, std::int64_t count, std::int64_t first,
                          std::int64_t last, std::int64_t steps) noexcept {
        std::uint64_t* const begin = rows + first * count;
        const std::uint64_t* const below = begin + steps * count;
        for (std::int64_t i = 0; i < (last - first + 1) * count; ++i) {
            begin[i] &= below[i];
        }
    }

    static void run(const Picture& picture) noexcept {
        const std::int64_t count = row_words(picture.width);
        std::uint64_t* const packed = picture.words;
        std::uint64_t* const eroded = packed + picture.height * count;
        std::uint64_t* const line = eroded + picture.height * count;
        std::memset(line, 0, static_cast<std::size_t>(4 * count + 4) * sizeof *line);
        std::int64_t first = picture.height;  // rows with foreground
        std::int64_t last = -1;
        for (std::int64_t y = 0; y < picture.height; ++y) {
            std::uint64_t* const row = packed + y * count;
            const bool any = Bits::pack(picture.mask + y * picture.width, picture.width, row);
            if (any) {
                first = first < y ? first : y;
                last = y;
            }
        }
        for (std::int64_t y = first; y <= last; ++y) {
            along_row(packed + y * count, count, picture.distance, line, eroded + y * count);
        }
        if (last - first >= 2 * picture.distance) {
            down_columns(eroded, count, first, last + 1, picture.distance);
        }
        const std::int64_t rest = picture.height * picture.width;
        if (last < first) {
            std::memset(picture.out, 0, static_cast<std::size_t>(rest));
            return;
        }
        std::memset(picture.out, 0, static_cast<std::size_t>(first * picture.width));
        for (std::int64_t y = first; y <= last; ++y) {
            std::uint64_t* const row = packed + y * count;
            if (y - first >= picture.distance && last - y >= picture.distance) {
                const std::uint64_t* const kept = eroded + (y - picture.distance) * count;
                for (std::int64_t i = 0; i < count; ++i) {
                    row[i] &= ~kept[i];
                }
            }
            Bits::unpack(row, picture.width, picture.out + y * picture.width);
        }
        std::memset(picture.out + (last + 1) * picture.width, 0,
                    static_cast<std::size_t>((picture.height - last - 1) * picture.width));
    }
};

// The last pixels of a row, fewer than a vector; also whole rows where there are no vectors.
template <typename Bits>
struct Tail {
    static std::uint64_t pack(const std::uint8_t* pixels, std::int64_t count) noexcept {
        std::uint64_t word = 0;
        std::int64_t i = 0;
        for (; i + 8 <= count; i += 8) {
            std::uint64_t eight;
            std::memcpy(&eight, pixels + i, 8);
            // The top bit of every byte that is not zero, then these eight bits side by side.
            constexpr std::uint64_t low = 0x7f7f7f7f7f7f7f7f;
            const std::uint64_t set = ((((eight & low) + low) | eight) & ~low) >> 7;
            word |= (set * 0x0102040810204080 >> 56) << i;
        }
        for (; i < count; ++i) {
            word |= static_cast<std::uint64_t>(pixels[i] != 0) << i;
        }
        return word;
    }
    static void unpack(std::uint64_t word, std::int64_t count, std::uint8_t* out) noexcept {
        std::int64_t i = 0;
        for (; i + 8 <= count; i += 8) {
            constexpr std::uint64_t ones = 0x0101010101010101;
            const std::uint64_t bits = ((word >> i & 255) * ones) & 0x8040201008040201;
            const std::uint64_t eight = (bits + 0x7f7f7f7f7f7f7f7f) >> 7 & ones;
            std::memcpy(out + i, &eight, 8);
        }
        for (; i < count; ++i) {
            out[i] = word >> i & 1;
        }
    }
};

}  // namespace refpix::boundary
