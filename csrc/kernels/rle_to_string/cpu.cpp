#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_to_string/rle_to_string.h"
#include "kernels/rle_to_string/write.h"

namespace refpix::rle {

std::int64_t write_runs(const std::uint32_t* counts, std::int64_t runs,
                        std::uint8_t* text) noexcept {
    std::uint8_t* at = text;
    for (std::int64_t run = 0; run < runs; ++run) {
        std::int64_t rest = counts[run];
        if (run > 2) {
            rest -= counts[run - 2];
        }
        bool more;
        do {
            const auto digit = static_cast<unsigned>(rest & 31);
            rest >>= 5;
            more = rest != ((digit & 16) != 0 ? -1 : 0);
            *at++ = static_cast<std::uint8_t>(48 + digit + (more ? 32 : 0));
        } while (more);
    }
    return at - text;
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
