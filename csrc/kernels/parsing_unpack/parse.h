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

struct One {
    Fault fault;
    std::int64_t position;  // of the fault
    std::int64_t next;      // start of the next integer, -1 when this is the last
    std::int32_t code;
};

// Reads the integer that starts at `i`: the item's start or the byte after a comma. `limit` > 0
// bounds the value to 0..limit - 1.
REFPIX_HD inline One parse_one(const std::uint8_t* text, std::int64_t length, std::int64_t i,
                               std::int32_t limit) {
    while (i < length && is_blank(text[i])) {
        ++i;
    }
    const bool negative = i < length && text[i] == '-';
    if (i < length && (text[i] == '-' || text[i] == '+')) {
        ++i;
    }
    const std::int64_t first = i;
    std::int64_t value = 0;
    while (i < length && (is_digit(text[i]) || (text[i] == '_' && i > first && i + 1 < length &&
                                                is_digit(text[i + 1]) && is_digit(text[i - 1])))) {
        if (text[i] != '_') {
            value = value * 10 + (text[i] - '0');
            if (value > std::int64_t{1} << 31) {
                return {Fault::codes_out_of_range, first, -1, 0};
            }
        }
        ++i;
    }
    if (i == first) {
        return {Fault::codes_bad_character, i, -1, 0};
    }
    value = negative ? -value : value;
    if (value > INT32_MAX || (limit > 0 && (value < 0 || value >= limit))) {
        return {Fault::codes_out_of_range, first, -1, 0};
    }
    while (i < length && is_blank(text[i])) {
        ++i;
    }
    if (i < length && text[i] != ',') {
        return {Fault::codes_bad_character, i, -1, 0};
    }
    return {Fault::none, -1, i < length ? i + 1 : -1, static_cast<std::int32_t>(value)};
}

// Writes count(text, length) integers, or none when `codes` is null.
REFPIX_HD inline Fail parse(const std::uint8_t* text, std::int64_t length, std::int32_t limit,
                            std::int32_t* codes) {
    for (std::int64_t start = 0; start >= 0;) {
        const One one = parse_one(text, length, start, limit);
        if (one.fault != Fault::none) {
            return {one.fault, one.position};
        }
        if (codes != nullptr) {
            *codes++ = one.code;
        }
        start = one.next;
    }
    return {Fault::none, -1};
}

}  // namespace refpix::parsing_codes
