#include <algorithm>
#include <cstring>

#include "kernels/jpeg_decode/route.h"

namespace refpix {
namespace {

constexpr int blocks_side = 8;
constexpr std::int64_t smallest_side = 16;

struct Component {
    int id = 0, h = 0, v = 0, quantization = 0;
    bool scanned = false;
    // Lowest bit that has arrived of each coefficient of a progressive file, -1: nothing yet.
    std::int8_t low_bit[64];
};

// Walks a file whose header jpeg_check() has accepted. Stops at the first thing that is unusual.
class Walk {
  public:
    Walk(const std::uint8_t* data, std::int64_t size, const JpegOptions& options,
         const JpegHeader& header) noexcept
        : data_(data), size_(size), options_(options), header_(header) {}

    JpegReason run() noexcept {
        for (;;) {
            if (at_ + 2 > size_) {
                return JpegReason::tail;
            }
            const std::uint8_t marker = data_[at_ + 1];
            if (data_[at_] != 0xff || marker < 0xc0 || marker == 0xff) {
                return JpegReason::structure;
            }
            at_ += 2;
            if (marker == 0xd9) {
                return finish();
            }
            const JpegReason reason = segment(marker);
            if (reason != JpegReason::none) {
                return reason;
            }
        }
    }

    std::int64_t length() const noexcept { return at_; }
    bool one_scan() const noexcept { return scans_ == 1; }

  private:
    int u16(std::int64_t at) const noexcept { return data_[at] << 8 | data_[at + 1]; }
    bool progressive() const noexcept { return header_.process == 0xc2; }
    static std::int64_t ceil_div(std::int64_t a, std::int64_t b) noexcept {
        return (a + b - 1) / b;
    }

    // One segment, and after the header of a scan the scan.
    JpegReason segment(std::uint8_t marker) noexcept {
        // Of the markers without a segment none may stand here; those kept for extensions are odd.
        if ((marker >= 0xd0 && marker <= 0xd8) || (marker >= 0xf0 && marker != 0xfe)) {
            return JpegReason::structure;
        }
        if (at_ + 2 > size_ || u16(at_) < 2 || at_ + u16(at_) > size_) {
            return JpegReason::structure;
        }
        const std::int64_t begin = at_ + 2;
        const std::int64_t end = at_ + u16(at_);
        at_ = end;
        switch (marker) {
            case 0xc0:
            case 0xc1:
            case 0xc2:
                return frame(begin, end);
            case 0xc4:
                return huffman_tables(begin, end);
            case 0xdb:
                return quantization_tables(begin, end);
            case 0xdd:
                if (end - begin != 2) {
                    return JpegReason::structure;
                }
                interval_ = u16(begin);
                return JpegReason::none;
            case 0xda:
                return scan(begin, end);
            default:
                break;
        }
        if (marker == 0xe0 && end - begin >= 14 && std::memcmp(data_ + begin, "JFIF", 5) == 0) {
            jfif_ = true;
        } else if (marker == 0xee && end - begin >= 12 &&
                   std::memcmp(data_ + begin, "Adobe", 5) == 0) {
            adobe_ = data_[begin + 11];
        } else if (marker < 0xe0) {
            return JpegReason::structure;  // other frames, conditioning, numbers of lines
        }
        return JpegReason::none;
    }

    JpegReason frame(std::int64_t begin, std::int64_t end) noexcept {
        if (frames_++ != 0 || scans_ != 0 || end - begin != 6 + 3 * header_.components) {
            return JpegReason::structure;
        }
        for (int c = 0; c < header_.components; ++c) {
            const std::uint8_t* entry = data_ + begin + 6 + 3 * c;
            components_[c] = {entry[0], entry[1] >> 4, entry[1] & 15, entry[2], false, {}};
            if (entry[2] > 3) {
                return JpegReason::tables;
            }
            std::memset(components_[c].low_bit, -1, sizeof components_[c].low_bit);
            across_ = std::max(across_, components_[c].h);
            down_ = std::max(down_, components_[c].v);
        }
        return JpegReason::none;
    }

    // Whether libjpeg takes the three components as YCbCr, and so would any reader.
    bool usual_colour() const noexcept {
        if (header_.components == 1) {
            return true;
        }
        const bool numbered =
            components_[0].id == 1 && components_[1].id == 2 && components_[2].id == 3;
        return adobe_ < 0 ? jfif_ || numbered : adobe_ == 1;
    }

    bool usual_sampling() const noexcept {
        const Component& first = components_[0];
        if (header_.components == 1) {
            return first.h == 1 && first.v == 1;
        }
        for (int c = 1; c < 3; ++c) {
            if (components_[c].h != 1 || components_[c].v != 1) {
                return false;
            }
        }
        return first.h >= 1 && first.h <= 2 && first.v >= 1 && first.v <= 2;
    }

    JpegReason quantization_tables(std::int64_t at, std::int64_t end) noexcept {
        for (; at < end; at += 65) {
            const int number = data_[at];
            if (number > 3 || end - at < 65) {
                return JpegReason::tables;
            }
            quantization_ |= 1u << number;
        }
        return JpegReason::none;
    }

    JpegReason huffman_tables(std::int64_t at, std::int64_t end) noexcept {
        while (at < end) {
            if (end - at < 17 || (data_[at] & 15) > 3 || data_[at] >> 4 > 1) {
                return JpegReason::tables;
            }
            int symbols = 0;
            std::int64_t taken = 0;  // of the codes there are, in units of 2^-16
            for (int bits = 1; bits <= 16; ++bits) {
                symbols += data_[at + bits];
                taken += std::int64_t{data_[at + bits]} << (16 - bits);
            }
            if (symbols == 0 || symbols > 256 || taken > 1 << 16 || end - at - 17 < symbols) {
                return JpegReason::tables;
            }
            huffman_[data_[at] >> 4] |= 1u << (data_[at] & 15);
            at += 17 + symbols;
        }
        return JpegReason::none;
    }

    // The kind of picture is known when the first scan begins.
    JpegReason kind() const noexcept {
        if (frames_ == 0) {
            return JpegReason::structure;
        }
        if (!usual_colour()) {
            return JpegReason::colour;
        }
        if (!usual_sampling()) {
            return JpegReason::sampling;
        }
        const bool small = header_.width < smallest_side || header_.height < smallest_side;
        return small ? JpegReason::small : JpegReason::none;
    }

    JpegReason scan(std::int64_t begin, std::int64_t end) noexcept {
        if (scans_ == 0) {
            const JpegReason reason = kind();
            if (reason != JpegReason::none) {
                return reason;
            }
        }
        if (++scans_ > options_.scan_limit) {
            return JpegReason::structure;
        }
        const int count = begin < end ? data_[begin] : 0;
        if (count < 1 || count > header_.components || end - begin != 4 + 2 * count) {
            return JpegReason::structure;
        }
        const int first = data_[end - 3], last = data_[end - 2];
        const int high = data_[end - 1] >> 4, low = data_[end - 1] & 15;
        Component* members[4];
        int before = -1;
        for (int i = 0; i < count; ++i) {
            const int number = find(data_[begin + 1 + 2 * i]);
            if (number <= before) {
                return JpegReason::structure;  // unknown, or not in the frame's order
            }
            before = number;
            members[i] = &components_[number];
            const int tables = data_[begin + 2 + 2 * i];
            const bool has_dc = first == 0 && high == 0;
            const bool has_ac = last > 0;
            if ((quantization_ >> members[i]->quantization & 1) == 0 ||
                (has_dc && (huffman_[0] >> (tables >> 4) & 1) == 0) ||
                (has_ac && (huffman_[1] >> (tables & 15) & 1) == 0)) {
                return JpegReason::tables;
            }
        }
        const JpegReason reason = progressive() ? refine(members, count, first, last, high, low)
                                                : whole(members, count, first, last, high, low);
        return reason == JpegReason::none ? entropy(members, count) : reason;
    }

    int find(int id) const noexcept {
        for (int c = 0; c < header_.components; ++c) {
            if (components_[c].id == id) {
                return c;
            }
        }
        return -1;
    }

    static JpegReason whole(Component** members, int count, int first, int last, int high,
                            int low) noexcept {
        if (first != 0 || last != 63 || high != 0 || low != 0) {
            return JpegReason::structure;
        }
        for (int i = 0; i < count; ++i) {
            if (members[i]->scanned) {
                return JpegReason::structure;
            }
            members[i]->scanned = true;
        }
        return JpegReason::none;
    }

    // A scan of a progressive file: coefficients first..last, down to bit `low`.
    static JpegReason refine(Component** members, int count, int first, int last, int high,
                             int low) noexcept {
        const bool dc = first == 0;
        if (last > 63 || last < first || (dc && last != 0) || (!dc && count != 1) || low > 13 ||
            (high != 0 && high != low + 1)) {
            return JpegReason::structure;
        }
        for (int i = 0; i < count; ++i) {
            if (!dc && members[i]->low_bit[0] < 0) {
                return JpegReason::structure;
            }
            for (int k = first; k <= last; ++k) {
                const int wanted = high == 0 ? -1 : high;
                if (members[i]->low_bit[k] != wanted) {
                    return JpegReason::structure;
                }
                members[i]->low_bit[k] = static_cast<std::int8_t>(low);
            }
        }
        return JpegReason::none;
    }

    // Units between which restart markers are counted, and blocks that have codes of their own.
    void extent(Component** members, int count, std::int64_t* units,
                std::int64_t* blocks) const noexcept {
        const std::int64_t wide = ceil_div(header_.width, std::int64_t{blocks_side} * across_);
        const std::int64_t high = ceil_div(header_.height, std::int64_t{blocks_side} * down_);
        if (count > 1) {
            *units = wide * high;
            *blocks = 0;
            for (int i = 0; i < count; ++i) {
                *blocks += *units * members[i]->h * members[i]->v;
            }
            return;
        }
        *units = ceil_div(ceil_div(header_.width * members[0]->h, across_), blocks_side) *
                 ceil_div(ceil_div(header_.height * members[0]->v, down_), blocks_side);
        *blocks = *units;
    }

    // Up to the next marker that is no restart marker.
    JpegReason entropy(Component** members, int count) noexcept {
        std::int64_t units = 0, blocks = 0;
        extent(members, count, &units, &blocks);
        const std::int64_t begin = at_;
        std::int64_t restarts = 0;
        for (;;) {
            const void* found =
                at_ < size_ ? std::memchr(data_ + at_, 0xff, static_cast<std::size_t>(size_ - at_))
                            : nullptr;
            if (found == nullptr) {
                return JpegReason::tail;
            }
            at_ = static_cast<const std::uint8_t*>(found) - data_;
            if (at_ + 1 >= size_) {
                return JpegReason::tail;
            }
            const std::uint8_t next = data_[at_ + 1];
            if (next == 0x00) {
                at_ += 2;
            } else if (next >= 0xd0 && next <= 0xd7) {
                if (interval_ == 0 || next != 0xd0 + (restarts & 7)) {
                    return JpegReason::structure;
                }
                ++restarts;
                at_ += 2;
            } else {
                break;
            }
        }
        if (interval_ != 0 && restarts != (units - 1) / interval_) {
            return JpegReason::incomplete;
        }
        // Every block of a sequential scan has two codes, of a bit at least each.
        const std::int64_t least = progressive() ? 1 : blocks / 4;
        return at_ - begin < least ? JpegReason::incomplete : JpegReason::none;
    }

    JpegReason finish() const noexcept {
        if (scans_ == 0) {
            return JpegReason::structure;
        }
        for (int c = 0; c < header_.components; ++c) {
            const Component& one = components_[c];
            const bool all = std::all_of(one.low_bit, one.low_bit + 64,
                                         [](std::int8_t bit) { return bit == 0; });
            if (progressive() ? !all : !one.scanned) {
                return JpegReason::incomplete;
            }
        }
        return JpegReason::none;
    }

    const std::uint8_t* data_;
    std::int64_t size_;
    const JpegOptions& options_;
    const JpegHeader& header_;
    std::int64_t at_ = 2;
    Component components_[4];
    int across_ = 1, down_ = 1;  // greatest sampling factors
    int frames_ = 0, scans_ = 0, interval_ = 0;
    int adobe_ = -1;  // transform, -1 without Adobe's marker
    bool jfif_ = false;
    unsigned quantization_ = 0, huffman_[2] = {0, 0};  // tables defined so far, a bit each
};

}  // namespace

Status jpeg_route(const std::uint8_t* data, std::int64_t size, const JpegOptions& options,
                  JpegRoute* route) noexcept {
    *route = {};
    route->length = size;
    const Status status = jpeg_check(data, size, options, &route->header);
    if (!status.ok()) {
        route->reason = JpegReason::header;
        return status;
    }
    route->engine = JpegEngine::cpu;
    const JpegHeader& header = route->header;
    if (header.arithmetic()) {
        route->reason = JpegReason::arithmetic;
        return {};
    }
    if (header.components == 4) {
        route->reason = JpegReason::components;
        return {};
    }
    Walk walk(data, size, options, header);
    route->reason = walk.run();
    if (route->reason != JpegReason::none) {
        return {};
    }
    route->length = walk.length();
    route->engine = JpegEngine::hybrid;
    if (header.process == 0xc2) {
        route->reason = JpegReason::progressive;
    } else if (header.process != 0xc0) {
        route->reason = JpegReason::extended;
    } else if (!walk.one_scan()) {
        route->reason = JpegReason::scans;
    } else {
        route->engine = JpegEngine::hardware;
    }
    return {};
}

}  // namespace refpix
