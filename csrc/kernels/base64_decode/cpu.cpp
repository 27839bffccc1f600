#include <cstring>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/base64_decode/alphabet.h"
#include "kernels/base64_decode/base64_decode.h"
#include "kernels/base64_decode/blocks.h"

namespace refpix::base64 {

namespace scalar {

std::int64_t blocks(const std::uint8_t* text, std::int64_t length, std::uint8_t* out,
                    std::int64_t capacity) noexcept {
    std::int64_t i = 0;
    for (; length - i >= 4 && capacity >= 3; i += 4, capacity -= 3) {
        const std::uint32_t a = values.of[text[i]];
        const std::uint32_t b = values.of[text[i + 1]];
        const std::uint32_t c = values.of[text[i + 2]];
        const std::uint32_t d = values.of[text[i + 3]];
        if ((a | b | c | d) & not_data) {
            break;
        }
        const std::uint32_t group = a << 18 | b << 12 | c << 6 | d;
        *out++ = static_cast<std::uint8_t>(group >> 16);
        *out++ = static_cast<std::uint8_t>(group >> 8);
        *out++ = static_cast<std::uint8_t>(group);
    }
    return i;
}

int alphabets(const std::uint8_t* text, std::int64_t length) noexcept {
    return seen_alphabets(text, length);
}

}  // namespace scalar

namespace {

struct Paths {
    Blocks* blocks;
    Alphabets* alphabets;
};

Paths paths() noexcept {
#if defined(REFPIX_X86)
    switch (active_isa()) {
        case Isa::avx512_vbmi:
            return {avx512_vbmi::blocks, avx512::alphabets};
        case Isa::avx512:
            return {avx512::blocks, avx512::alphabets};
        case Isa::avx2:
            return {avx2::blocks, avx2::alphabets};
        case Isa::scalar:
            break;
    }
#endif
    return {scalar::blocks, scalar::alphabets};
}

bool is_data(std::uint8_t c) noexcept {
    return values.of[c] < 64;
}
bool is_ascii(std::uint8_t c) noexcept {
    return c < 0x80;
}

Status fail(Fault fault, std::int64_t position) noexcept {
    return {fault, -1, position};
}

Status fail_character(std::uint8_t c, std::int64_t position) noexcept {
    return fail(is_ascii(c) ? Fault::base64_bad_character : Fault::base64_not_ascii, position);
}

// A text on its way to bytes.
struct Cursor {
    const std::uint8_t* text;
    std::int64_t length;
    std::uint8_t* out;
    std::int64_t capacity;
    std::int64_t read = 0;
    std::int64_t written = 0;
    std::uint32_t group = 0;  // the bits of the characters since the last whole group
    int count = 0;            // and how many they are, 0..3

    // From a group boundary, over all clean groups that follow.
    void skim(Blocks* blocks) noexcept {
        for (auto* path : {blocks, &scalar::blocks}) {
            const std::int64_t taken =
                path(text + read, length - read, out + written, capacity - written);
            read += taken;
            written += taken / 4 * 3;
        }
    }

    void push(std::uint8_t value) noexcept {
        group = group << 6 | value;
        if (++count == 4) {
            out[written++] = static_cast<std::uint8_t>(group >> 16);
            out[written++] = static_cast<std::uint8_t>(group >> 8);
            out[written++] = static_cast<std::uint8_t>(group);
            count = 0;
        }
    }

    // The bytes of a group of two or three characters.
    void flush() noexcept {
        if (count == 2) {
            out[written++] = static_cast<std::uint8_t>(group >> 4);
        } else if (count == 3) {
            out[written++] = static_cast<std::uint8_t>(group >> 10);
            out[written++] = static_cast<std::uint8_t>(group >> 2);
        }
        count = 0;
    }

    // At the end of a text without the padding that ends a group.
    Status finish(bool repair_padding) noexcept {
        if (count == 1) {
            return fail(Fault::base64_bad_length, length);
        }
        if (count != 0 && !repair_padding) {
            return fail(Fault::base64_bad_padding, length);
        }
        flush();
        return {};
    }
};

Status first_not_ascii(const Cursor& at) noexcept {
    for (std::int64_t i = at.read; i < at.length; ++i) {
        if (!is_ascii(at.text[i])) {
            return fail(Fault::base64_not_ascii, i);
        }
    }
    return {};
}

// CPython's binascii.a2b_base64 without strict mode, on text with '-' and '_' translated: junk is
// skipped, and so is '=' unless it completes a group of four, where the text ends.
Status decode_lenient(Cursor& at, const Paths& path, bool repair_padding) noexcept {
    while (at.read < at.length) {
        at.skim(path.blocks);
        int pads = 0;
        // Always at least one character, so that a clean start of a broken group makes progress.
        while (at.read < at.length) {
            const std::uint8_t c = at.text[at.read++];
            if (is_data(c)) {
                pads = 0;
                at.push(values.of[c]);
            } else if (c == '=') {
                if (at.count >= 2 && at.count + ++pads >= 4) {
                    at.flush();
                    return first_not_ascii(at);
                }
            } else if (!is_ascii(c)) {
                return fail(Fault::base64_not_ascii, at.read - 1);
            }
            if (at.count == 0 && at.read < at.length && is_data(at.text[at.read])) {
                break;
            }
        }
    }
    return at.finish(repair_padding);
}

Status decode_unmixed(Cursor& at, const Paths& path, bool repair_padding) noexcept {
    at.skim(path.blocks);
    while (at.read < at.length && is_data(at.text[at.read])) {
        at.push(values.of[at.text[at.read++]]);
    }
    if (at.read == at.length) {
        return at.finish(repair_padding);
    }
    if (at.text[at.read] != '=') {
        return fail_character(at.text[at.read], at.read);
    }
    if (at.count < 2) {
        return fail(Fault::base64_bad_padding, at.read);
    }
    const std::int64_t stop = at.read + 4 - at.count;
    while (at.read < at.length && at.read < stop && at.text[at.read] == '=') {
        ++at.read;
    }
    if (at.read < at.length) {
        const std::uint8_t c = at.text[at.read];
        return c == '=' || is_data(c) ? fail(Fault::base64_bad_padding, at.read)
                                      : fail_character(c, at.read);
    }
    if (at.read < stop && !repair_padding) {
        return fail(Fault::base64_bad_padding, at.length);
    }
    at.flush();
    return {};
}

// The first character that belongs to the other alphabet than those before it.
std::int64_t mixed_at(const std::uint8_t* text, std::int64_t length) noexcept {
    int seen = no_alphabet;
    std::int64_t i = 0;
    for (; i < length && seen != (standard_alphabet | url_alphabet); ++i) {
        seen |= seen_alphabets(text + i, 1);
    }
    return i - 1;
}

Status decode_strict(Cursor& at, const Paths& path, bool repair_padding) noexcept {
    const Status status = decode_unmixed(at, path, repair_padding);
    const std::int64_t clean = status.ok() ? at.length : status.position;
    if (path.alphabets(at.text, clean) == (standard_alphabet | url_alphabet)) {
        return fail(Fault::base64_bad_character, mixed_at(at.text, clean));
    }
    return status;
}

}  // namespace
}  // namespace refpix::base64

namespace refpix::cpu {

Status base64_decode_slot(const std::uint8_t* text, std::int64_t length,
                          const Base64Options& options, std::uint8_t* out, std::int64_t capacity,
                          std::int64_t* written) noexcept {
    base64::Cursor at{text, length, out, capacity};
    const auto decode = options.strict ? base64::decode_strict : base64::decode_lenient;
    const Status status = decode(at, base64::paths(), options.repair_padding);
    *written = at.written;
    return status;
}

Status base64_decode_item(const std::uint8_t* text, std::int64_t length,
                          const Base64Options& options, std::uint8_t* out,
                          std::int64_t* written) noexcept {
    return base64_decode_slot(text, length, options, out, base64_capacity(length), written);
}

Status base64_decode_bounds(const Base64Decode& args) noexcept {
    const Status inside = args.text.check();
    if (!inside.ok()) {
        return inside;
    }
    args.offsets[0] = 0;
    for (std::int64_t item = 0; item < args.text.count; ++item) {
        const std::int64_t bound = base64_bound(args.text.data(item), args.text.length(item));
        if (__builtin_add_overflow(args.offsets[item], bound, &args.offsets[item + 1])) {
            return {Fault::size_overflow, item, -1};
        }
    }
    return {};
}

Status base64_decode(const Base64Decode& args) noexcept {
    const std::int64_t count = args.text.count;
    FirstFault faults;
    // Offsets say where slots start until all items are decoded: lengths need room of their own.
    auto* lengths = new (std::nothrow) std::int64_t[static_cast<std::size_t>(count)];
    if (lengths == nullptr) {
        return {Fault::out_of_memory};
    }
    parallel_for(count, args.threads, [&](std::int64_t item) {
        const std::int64_t start = args.offsets[item];
        Status status =
            base64_decode_slot(args.text.data(item), args.text.length(item), args.options,
                               args.out + start, args.offsets[item + 1] - start, &lengths[item]);
        status.item = item;
        faults.report(status);
    });
    std::int64_t end = 0;
    for (std::int64_t item = 0; item < count; ++item) {
        const std::int64_t start = args.offsets[item];
        if (start != end) {
            std::memmove(args.out + end, args.out + start, static_cast<std::size_t>(lengths[item]));
        }
        args.offsets[item] = end;
        end += lengths[item];
    }
    args.offsets[count] = end;
    delete[] lengths;
    return faults.status();
}

}  // namespace refpix::cpu
