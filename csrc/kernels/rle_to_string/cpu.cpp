#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/rle_to_string/numbers.h"
#include "kernels/rle_to_string/rle_to_string.h"
#include "kernels/rle_to_string/write.h"

namespace refpix::rle {
namespace {

std::uint8_t* write_number(std::int64_t value, std::uint8_t* at) noexcept {
    bool more;
    do {
        const auto digit = static_cast<unsigned>(value & 31);
        value >>= 5;
        more = value != ((digit & 16) != 0 ? -1 : 0);
        *at++ = static_cast<std::uint8_t>(48 + digit + (more ? 32 : 0));
    } while (more);
    return at;
}

}  // namespace

namespace scalar {

std::int64_t write_runs(const std::uint32_t* counts, std::int64_t runs,
                        std::uint8_t* text) noexcept {
    std::uint8_t* at = text;
    for (std::int64_t i = 0; i < runs; ++i) {
        at = write_number(std::int64_t{counts[i]} - (i < 3 ? 0 : counts[i - 2]), at);
    }
    return at - text;
}

}  // namespace scalar

std::int64_t write_runs(const std::uint32_t* counts, std::int64_t runs,
                        std::uint8_t* text) noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx2) {
        return avx2::write_runs(counts, runs, text);
    }
#endif
    return scalar::write_runs(counts, runs, text);
}

}  // namespace refpix::rle

namespace refpix::cpu {

Status rle_to_string(const RleToString& args, Ragged<std::uint8_t>* text) noexcept {
    const Status bounds = args.masks.check_offsets();
    if (!bounds.ok()) {
        return bounds;
    }
    if (!text->resize(args.masks.count)) {
        return {Fault::out_of_memory};
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads, [&](std::int64_t item) {
        const std::int64_t start = args.masks.offsets[item];
        const std::int64_t runs = args.masks.offsets[item + 1] - start;
        std::uint8_t* const room = text->reserve(item, rle::longest_number * runs + 16);
        if (room == nullptr) {
            faults.report({Fault::out_of_memory, item, -1});
            return;
        }
        text->shorten(item, rle::write_runs(args.masks.counts + start, runs, room));
    });
    return faults.status();
}

}  // namespace refpix::cpu
