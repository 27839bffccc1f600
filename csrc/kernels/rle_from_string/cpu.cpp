#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/rle_from_string/blocks.h"
#include "kernels/rle_from_string/parse.h"
#include "kernels/rle_from_string/rle_from_string.h"

namespace refpix::rle {
namespace {

// What the digits from the 13th on, 60 bits up, add to a number: nothing, a sign, or too much.
struct HighDigits {
    bool zeros = true;
    bool ones = true;

    void add(unsigned digit) noexcept {
        zeros = zeros && digit == 0;
        ones = ones && digit == 31;
    }
    std::int64_t value(std::int64_t low, bool negative) const noexcept {
        constexpr std::int64_t one = 1;
        if (negative) {
            return ones ? low - (one << 60) : -(one << 62);
        }
        return zeros ? low : one << 62;
    }
};

// Reads the number that starts at text[*next] and moves *next behind it.
Status parse_number(const std::uint8_t* text, std::int64_t length, std::int64_t* next,
                    std::int64_t* value) noexcept {
    std::int64_t low = 0;
    int shift = 0;
    HighDigits high;
    for (std::int64_t i = *next; i < length; ++i) {
        const unsigned c = static_cast<std::uint8_t>(text[i] - 48);
        if (c > 63) {
            return {Fault::rle_bad_character, -1, i};
        }
        const unsigned digit = c & 31;
        if (shift < 60) {
            low |= static_cast<std::int64_t>(digit) << shift;
            shift += 5;
        } else {
            high.add(digit);
            shift = 65;
        }
        if (c < 32) {
            const bool negative = (c & 16) != 0;
            if (shift <= 60) {
                *value = negative ? low - (std::int64_t{1} << shift) : low;
            } else {
                *value = high.value(low, negative);
            }
            *next = i + 1;
            return {};
        }
    }
    return {Fault::rle_truncated, -1, length};
}

// From `at` on until `stop` is reached: the number that holds character stop - 1 is read whole.
Status parse_until(const std::uint8_t* text, std::int64_t length, std::int64_t stop,
                   std::uint32_t* counts, Cursor* at) noexcept {
    while (at->next < stop) {
        const std::int64_t start = at->next;
        std::int64_t value;
        const Status status = parse_number(text, length, &at->next, &value);
        if (!status.ok()) {
            return status;
        }
        if (at->runs > 2) {
            value += counts[at->runs - 2];
        }
        if (value < 0 || value > std::int64_t{0xffffffff}) {
            return {value < 0 ? Fault::rle_negative_run : Fault::rle_run_overflow, -1, start};
        }
        counts[at->runs++] = static_cast<std::uint32_t>(value);
    }
    return {};
}

}  // namespace

Status parse_runs(const std::uint8_t* text, std::int64_t length, std::uint32_t* counts,
                  std::int64_t* runs) noexcept {
    Cursor at;
    Status status;
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx2) {
        // What stops the blocks, a fault or a number that is long, is left to the plain loop.
        while (status.ok() && at.next < length) {
            const std::int64_t stop = avx2::parse(text, length, counts, &at);
            if (at.next < length) {
                const std::int64_t next = stop > at.next ? stop : at.next + 1;
                status = parse_until(text, length, next < length ? next : length, counts, &at);
            }
        }
    }
#endif
    if (status.ok()) {
        status = parse_until(text, length, length, counts, &at);
    }
    *runs = at.runs;
    return status;
}

}  // namespace refpix::rle

namespace refpix::cpu {

Status rle_from_string(const RleFromString& args, Ragged<std::uint32_t>* counts) noexcept {
    const Status inside = args.text.check();
    if (!inside.ok()) {
        return inside;
    }
    if (!counts->resize(args.text.count)) {
        return {Fault::out_of_memory};
    }
    FirstFault faults;
    parallel_for(args.text.count, args.threads, [&](std::int64_t item) {
        const std::int64_t length = args.text.length(item);
        std::uint32_t* const room = counts->reserve(item, length + 16);
        std::int64_t runs = 0;
        Status status{Fault::out_of_memory};
        if (room != nullptr) {
            status = rle::parse_runs(args.text.data(item), length, room, &runs);
        }
        counts->shorten(item, runs);
        status.item = item;
        faults.report(status);
    });
    return faults.status();
}

}  // namespace refpix::cpu
