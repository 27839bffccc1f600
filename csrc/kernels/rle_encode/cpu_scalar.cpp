// 8 pixels in a 64-bit number at a time.
#include <bit>
#include <cstring>

#include "kernels/rle_encode/changes.h"

namespace refpix::rle_changes::scalar {
namespace {

constexpr std::uint64_t low_bits = 0x7f7f7f7f7f7f7f7f;

std::uint64_t load(const std::uint8_t* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    if constexpr (std::endian::native == std::endian::big) {
        value = __builtin_bswap64(value);
    }
    return value;
}

// 0x80 in every byte that is not 0.
std::uint64_t flags(std::uint64_t value) noexcept {
    return (((value & low_bits) + low_bits) | value) & ~low_bits;
}

// Bit i for byte i: the multiplication brings the flags together in the highest byte.
std::uint64_t gather(std::uint64_t flagged) noexcept {
    return ((flagged >> 7) * 0x0102040810204080) >> 56;
}

// unlike() is 0 where differ() is, and cheaper.
struct ByteRule {
    static std::uint64_t unlike(std::uint64_t a, std::uint64_t b) noexcept { return a ^ b; }
    static std::uint64_t differ(std::uint64_t a, std::uint64_t b) noexcept { return flags(a ^ b); }
};
struct NonzeroRule {
    static std::uint64_t unlike(std::uint64_t a, std::uint64_t b) noexcept { return differ(a, b); }
    static std::uint64_t differ(std::uint64_t a, std::uint64_t b) noexcept {
        return flags(a) ^ flags(b);
    }
};

template <typename By>
struct Block {
    static bool same(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        std::uint64_t seen = 0;
        for (int i = 0; i < block_pixels; i += 8) {
            seen |= By::unlike(load(a + i), load(b + i));
        }
        return seen == 0;
    }
    static bool all(const std::uint8_t* a, std::uint8_t value) noexcept {
        const std::uint64_t one = value * (~std::uint64_t{0} / 255);
        std::uint64_t seen = 0;
        for (int i = 0; i < block_pixels; i += 8) {
            seen |= By::unlike(load(a + i), one);
        }
        return seen == 0;
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b) noexcept {
        if (std::memcmp(a, b, 64) == 0) {
            return 0;
        }
        std::uint64_t all = 0;
        for (int i = 0; i < 8; ++i) {
            all |= gather(By::differ(load(a + 8 * i), load(b + 8 * i))) << (8 * i);
        }
        return all;
    }
    static std::uint64_t bits(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        std::uint64_t all = 0;
        for (int i = 0; i < length; ++i) {
            const bool differs = By::differ(a[i], b[i]) != 0;
            all |= static_cast<std::uint64_t>(differs) << i;
        }
        return all;
    }
    static std::uint64_t last(const std::uint8_t* a, const std::uint8_t* b, int length) noexcept {
        return bits(a + length - 64, b + length - 64) >> (64 - length);
    }
};

struct Bits {
    static int count(std::uint64_t bits) noexcept { return std::popcount(bits); }
    static std::uint32_t lowest(std::uint64_t bits) noexcept {
        return static_cast<std::uint32_t>(std::countr_zero(bits));
    }
};

}  // namespace

const Path path = {rule_of<Block<NonzeroRule>>, rule_of<Block<ByteRule>>, extract<Bits>};

}  // namespace refpix::rle_changes::scalar
