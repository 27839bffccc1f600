// The alphabet as tables. Both alphabets at once: '-' is '+' and '_' is '/'.
#pragma once

#include <cstdint>

namespace refpix::base64 {

inline constexpr std::uint8_t not_data = 0x80;

// Value 0..63 of every byte, not_data for the others.
struct Values {
    std::uint8_t of[256];
};

constexpr Values make_values() noexcept {
    Values values{};
    for (int c = 0; c < 256; ++c) {
        values.of[c] = c >= 'A' && c <= 'Z'   ? c - 'A'
                       : c >= 'a' && c <= 'z' ? c - 'a' + 26
                       : c >= '0' && c <= '9' ? c - '0' + 52
                       : c == '+' || c == '-' ? 62
                       : c == '/' || c == '_' ? 63
                                              : not_data;
    }
    return values;
}

inline constexpr Values values = make_values();

static inline int seen_alphabets(const std::uint8_t* text, std::int64_t length) noexcept {
    std::uint8_t standard = 0;
    std::uint8_t url = 0;
    for (std::int64_t i = 0; i < length; ++i) {
        standard |= static_cast<std::uint8_t>((text[i] == '+') | (text[i] == '/'));
        url |= static_cast<std::uint8_t>((text[i] == '-') | (text[i] == '_'));
    }
    return standard | url << 1;
}

}  // namespace refpix::base64
