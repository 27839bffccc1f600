#include <cstring>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/rle_decode/plane.h"
#include "kernels/rle_decode/rle_decode.h"

namespace refpix {
namespace rle_plane {
namespace scalar {

// Changes are marked in the result itself; a row is then its marks and the row above.
Fault rows(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    const std::int64_t width = mask.width;
    if (!zeroed) {
        std::memset(out, 0, static_cast<std::size_t>(mask.pixels()));
    }
    const Fault fault =
        walk(mask, [&](std::int64_t x, std::int64_t y) { out[y * width + x] ^= std::uint8_t{1}; });
    for (std::int64_t y = 1; y < mask.height; ++y) {
        const std::uint8_t* __restrict above = out + (y - 1) * width;
        std::uint8_t* __restrict row = out + y * width;
        for (std::int64_t x = 0; x < width; ++x) {
            row[x] = static_cast<std::uint8_t>(row[x] ^ above[x]);
        }
    }
    return fault;
}

Fault columns(const Rle& mask, bool zeroed, std::uint8_t* out) noexcept {
    std::int64_t left = mask.pixels();
    for (std::int64_t run = 0; run < mask.runs; ++run) {
        const std::int64_t length = mask.counts[run];
        if (length > left) {
            return Fault::rle_too_long;
        }
        left -= length;
        if (run % 2 != 0 || !zeroed) {
            std::memset(out, run % 2 != 0 ? 1 : 0, static_cast<std::size_t>(length));
        }
        out += length;
    }
    return left == 0 ? Fault::none : Fault::rle_too_short;
}

}  // namespace scalar

std::uint64_t* word_room(std::int64_t words) noexcept {
    thread_local Scratch<std::uint64_t> scratch;
    return scratch.reserve(words) ? scratch.data() : nullptr;
}

namespace {

// Masks beyond this height are decoded without words of bits, which would be 64 columns wide.
constexpr std::int64_t most_bit_rows = 1 << 18;

Plane* path(bool fortran, std::int64_t height) noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512 && (fortran || height <= most_bit_rows)) {
        return fortran ? avx512::columns : avx512::rows;
    }
    if (active_isa() >= Isa::avx2 && (fortran || height <= most_bit_rows)) {
        return fortran ? avx2::columns : avx2::rows;
    }
#endif
    return fortran ? scalar::columns : scalar::rows;
}

}  // namespace
}  // namespace rle_plane

namespace cpu {

Status rle_decode_offsets(const Rles& masks, std::int64_t* offsets) noexcept {
    Status status = masks.check();
    offsets[0] = 0;
    for (std::int64_t i = 0; status.ok() && i < masks.count; ++i) {
        status = masks.check_item(i);
        if (status.ok() &&
            __builtin_add_overflow(offsets[i], masks.item(i).pixels(), &offsets[i + 1])) {
            status = {Fault::size_overflow, i, -1};
        }
    }
    return status;
}

Status rle_decode(const RleDecode& args) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads, [&](std::int64_t item) {
        const Rle mask = args.masks.item(item);
        std::uint8_t* const out = args.out + args.offsets[item];
        const Fault fault =
            mask.pixels() == 0 ? rle_plane::rest(mask, 0)
                               : rle_plane::path(args.fortran, mask.height)(mask, args.zeroed, out);
        if (fault != Fault::none) {
            faults.report({fault, item, -1});
        }
    });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
