// The weights of one pass: which input pixels make an output pixel, and how much of each.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/image_resize/image_resize.h"

namespace refpix::resize {

inline constexpr int group = 4;  // taps that one SIMD step takes
// Outputs are padded to a multiple of this with weightless ones, so that SIMD needs no tail.
inline constexpr int out_padding = 16;

struct Taps {
    std::int64_t in = 0;
    std::int64_t out = 0;
    int width = 0;   // most taps that any output has
    int groups = 0;  // ceil(width / group); every output has groups * group weights
    // True when every weight fits three signed 8-bit digits: |w| < 127.5 * 2^16, i.e. |w| < 1.99.
    bool has_digits = true;

    // First tap per output. Shifted left where a window of groups * group taps (of five, when
    // width is 5) would leave the input, so that reading a whole window overruns a line by less
    // than `group` pixels.
    std::vector<std::int32_t> start;
    std::vector<std::int32_t> last;     // last tap with a weight, per output (not padded)
    std::vector<std::int32_t> weights;  // [output][groups * group], 22 fractional bits

    // The same weights, cut up for SIMD. A weight is d2 * 65536 + d1 * 256 + d0, digits signed
    // 8 bits: [output][group][d2, d1, d0], each an int32 that holds the digits of four taps.
    std::vector<std::int32_t> digits;
    // As digits, but [group][digit][output]: sixteen outputs side by side, for one channel.
    std::vector<std::int32_t> digits_by_output;
    // A weight is high * 1024 + low, both 16 bits: [output][pair of taps][high, low], each an
    // int32 that holds two taps.
    std::vector<std::int32_t> pairs;

    const std::int32_t* weights_of(std::int64_t o) const { return &weights[o * groups * group]; }
};

inline constexpr int low_bits = 10;  // of `pairs`

// Weights for in -> out pixels; in == out gives a copy. May throw std::bad_alloc.
// Source: Pillow, src/libImaging/Resample.c (the arithmetic, in double, and its rounding).
std::shared_ptr<const Taps> make_taps(std::int64_t in, std::int64_t out, ResizeFilter filter);

// The same from a small per-thread cache: sizes repeat, and computing weights costs as much as
// a few percent of a resize.
std::shared_ptr<const Taps> cached_taps(std::int64_t in, std::int64_t out, ResizeFilter filter);

}  // namespace refpix::resize
