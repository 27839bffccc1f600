// Ragged bytes where they already lie: a buffer and, per item, a half-open byte range in it.
//
// A span per item rather than n + 1 offsets: the items of a batch are fields of rows picked
// anywhere in a memory-mapped file, and packing them end to end would copy every payload.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct Spans {
    const std::uint8_t* values = nullptr;
    std::int64_t size = 0;                // bytes in values
    const std::int64_t* spans = nullptr;  // (count, 2): start, stop
    std::int64_t count = 0;

    const std::uint8_t* data(std::int64_t item) const noexcept { return values + spans[2 * item]; }
    std::int64_t length(std::int64_t item) const noexcept {
        return spans[2 * item + 1] - spans[2 * item];
    }
    // Every span lies within the buffer; names the first that does not.
    Status check() const noexcept {
        for (std::int64_t item = 0; item < count; ++item) {
            const std::int64_t start = spans[2 * item];
            const std::int64_t stop = spans[2 * item + 1];
            if (start < 0 || stop < start || stop > size) {
                return {Fault::span_out_of_bounds, item, start};
            }
        }
        return {};
    }
};

}  // namespace refpix
