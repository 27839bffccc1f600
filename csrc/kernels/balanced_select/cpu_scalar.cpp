#include "kernels/balanced_select/spread_code.h"

namespace refpix::balanced::scalar {
namespace {

// The baseline has no instruction for it.
std::int32_t count_bits(std::uint64_t word) noexcept {
    word -= word >> 1 & 0x5555555555555555;
    word = (word & 0x3333333333333333) + (word >> 2 & 0x3333333333333333);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<std::int32_t>(word * 0x0101010101010101 >> 56);
}

}  // namespace

std::int32_t advance(const Overlap& args) noexcept {
    std::int32_t least = nothing_left;
    for (std::int64_t v = args.first; v < args.last; ++v) {
        std::int32_t shared = 0;
        for (std::int64_t w = 0; w < args.words; ++w) {
            shared += count_bits(args.bits[w * args.vectors + v] & args.picked[w]);
        }
        args.overlap[v] += shared;
        least = args.overlap[v] < least ? args.overlap[v] : least;
    }
    return least;
}

double spread(const Spread& args) noexcept {
    return spread_of(args);
}

}  // namespace refpix::balanced::scalar
