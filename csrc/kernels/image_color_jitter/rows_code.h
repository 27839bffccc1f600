// What cpu_scalar.cpp and cpu_avx2.cpp compile: a block's channels lie apart, so that the compiler
// makes vectors of the steps.
#pragma once

#include "kernels/image_color_jitter/rows.h"

namespace refpix::jitter {
namespace {

constexpr int block_pixels = 256;

struct Block {
    std::int32_t r[block_pixels];
    std::int32_t g[block_pixels];
    std::int32_t b[block_pixels];
};

template <int Step>
inline void step(const Plan& plan, Block& block) noexcept {
    for (int i = 0; i < block_pixels; ++i) {
        const Pixel made = apply<Step>(plan, {block.r[i], block.g[i], block.b[i]});
        block.r[i] = made.r;
        block.g[i] = made.g;
        block.b[i] = made.b;
    }
}

inline std::uint64_t run(const Plan& plan, int first, int stop, const std::uint8_t* in,
                         std::int64_t count, std::uint8_t* out) noexcept {
    Block block = {};
    std::uint64_t sum = 0;
    for (std::int64_t done = 0; done < count; done += block_pixels) {
        const int size =
            count - done < block_pixels ? static_cast<int>(count - done) : block_pixels;
        for (int i = 0; i < size; ++i) {
            block.r[i] = in[3 * (done + i)];
            block.g[i] = in[3 * (done + i) + 1];
            block.b[i] = in[3 * (done + i) + 2];
        }
        for_steps(plan, first, stop,
                  [&](auto which) { step<decltype(which)::value>(plan, block); });
        std::int32_t gray_sum = 0;
        for (int i = 0; i < size; ++i) {
            gray_sum += gray({block.r[i], block.g[i], block.b[i]});
        }
        sum += static_cast<std::uint32_t>(gray_sum);
        for (int i = 0; i < size; ++i) {
            out[3 * (done + i)] = static_cast<std::uint8_t>(block.r[i]);
            out[3 * (done + i) + 1] = static_cast<std::uint8_t>(block.g[i]);
            out[3 * (done + i) + 2] = static_cast<std::uint8_t>(block.b[i]);
        }
    }
    return sum;
}

}  // namespace
}  // namespace refpix::jitter
