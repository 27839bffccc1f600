// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/image_resize_opencv/rows.h"

namespace refpix::resize_opencv {
namespace {

// Pixels from `start` on.
template <int channels>
void across_from(const Across& args, std::int64_t start) noexcept {
    const std::int64_t step = channels > 0 ? channels : args.channels;
    for (std::int64_t x = start; x < args.count; ++x) {
        const std::uint8_t* pair = args.row + args.first[x];
        const int u = args.weights[x] & 0xFFFF;
        const int v = args.weights[x] >> 16;
        for (std::int64_t c = 0; c < step; ++c) {
            args.line[x * step + c] =
                static_cast<std::int16_t>((pair[c] * u + pair[args.next + c] * v) >> 4);
        }
    }
}

// Products keep their upper halves, which the compiler has one instruction for. By value: bytes
// that are written might be those of a structure that is referred to.
void down_row(const Down args) noexcept {
    const std::int16_t* const first = args.first;
    const std::int16_t* const second = args.second;
    std::uint8_t* __restrict const out = args.out;
    for (std::int64_t i = 0; i < args.count; ++i) {
        const auto a = static_cast<std::int16_t>((first[i] * args.u) >> 16);
        const auto b = static_cast<std::int16_t>((second[i] * args.v) >> 16);
        const auto mean = static_cast<std::int16_t>((a + b + 2) >> 2);
        out[i] = static_cast<std::uint8_t>(mean < 255 ? mean : 255);
    }
}

}  // namespace
}  // namespace refpix::resize_opencv
