// The grammar of one item, shared by cpu.cpp and cuda.cu.
//
// An item is integers separated by commas. An integer is what Python's int() takes, in ASCII:
// blanks around it, a sign, digits, single underscores between digits.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix::parsing_codes {

struct Fail {
    Fault fault;
    std::int64_t position;
};

REFPIX_HD inline bool is_blank(std::uint8_t c) {
    return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f);
}

REFPIX_HD inline bool is_digit(std::uint8_t c) {
    return c >= '0' && c <= '9';
}

REFPIX_HD inline std::int64_t count(const std::uint8_t* text, std::int64_t length) {
    std::int64_t codes = 1;
    for (std::int64_t i = 0; i < length; ++i) {
        codes += text[i] == ',';
    }
    return codes;
}

// Writes count(text, length) integers. `limit` > 0 bounds the values to 0..limit - 1.
REFPIX_HD inline Fail parse(const std::uint8_t* text, std::int64_t length, std::int32_t limit,
                            std::int32_t* codes) {
    std::int64_t i = 0;
    for (;;) {
        while (i < length && is_blank(text[i])) {
            ++i;
        }
        const bool negative = i < length && text[i] == '-';
        if (i < length && (text[i] == '-' || text[i] == '+')) {
            ++i;
        }
        const std::int64_t first = i;
        std::int64_t value = 0;
        while (i < length &&
               (is_digit(text[i]) || (text[i] == '_' && i > first && i + 1 < length &&
                                      is_digit(text[i + 1]) && is_digit(text[i - 1])))) {
            if (text[i] != '_') {
                value = value * 10 + (text[i] - '0');
                if (value > std::int64_t{1} << 31) {
                    return {Fault::codes_out_of_range, first};
                }
            }
            ++i;
        }
        if (i == first) {
            return {Fault::codes_bad_character, i};
        }
        value = negative ? -value : value;
        if (value > INT32_MAX || (limit > 0 && (value < 0 || value >= limit))) {
            return {Fault::codes_out_of_range, first};
        }
        *codes++ = static_cast<std::int32_t>(value);
        while (i < length && is_blank(text[i])) {
            ++i;
        }
        if (i == length) {
            return {Fault::none, -1};
        }
        if (text[i] != ',') {
            return {Fault::codes_bad_character, i};
        }
        ++i;
    }
}

}  // namespace refpix::parsing_codes
