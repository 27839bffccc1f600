// Decodes one item: what image_batch calls for every payload.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct Base64Options {
    bool strict = false;          // RFC 4648: one alphabet, no junk, complete padding
    bool repair_padding = false;  // missing '=' at the end is no fault
};

// Room for the widest store beyond the last decoded byte.
inline constexpr std::int64_t base64_slack = 64;

constexpr std::int64_t base64_capacity(std::int64_t length) noexcept {
    return length / 4 * 3 + 3 + base64_slack;
}

// The most that a text can decode to. Exact for clean text, padded or not.
inline std::int64_t base64_bound(const std::uint8_t* text, std::int64_t length) noexcept {
    std::int64_t data = length;
    while (data > 0 && length - data < 2 && text[data - 1] == '=') {
        --data;
    }
    return data / 4 * 3 + data % 4 * 3 / 4;
}

namespace cpu {

// `out` has room for base64_capacity(length) bytes; those behind the *written first ones may be
// overwritten. The status's position is the byte of the text; its item is left to the caller.
// Dispatches on active_isa().
Status base64_decode_item(const std::uint8_t* text, std::int64_t length,
                          const Base64Options& options, std::uint8_t* out,
                          std::int64_t* written) noexcept;

// The same into a slot that has neighbours: nothing is written at or behind out + capacity, which
// must be at least base64_bound(text, length).
Status base64_decode_slot(const std::uint8_t* text, std::int64_t length,
                          const Base64Options& options, std::uint8_t* out, std::int64_t capacity,
                          std::int64_t* written) noexcept;

}  // namespace cpu
}  // namespace refpix
