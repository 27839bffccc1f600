#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/image_resize/taps.h"
#include "kernels/image_resize/window.h"

namespace refpix::resize {
namespace {

double sinc(double x) {
    if (x == 0.0) {
        return 1.0;
    }
    x *= 3.14159265358979323846;
    return std::sin(x) / x;
}

double lanczos(double x) {
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

using Weigh = double (*)(double);

Weigh weigh_of(ResizeFilter filter) {
    switch (filter) {
        case ResizeFilter::box:
            return box;
        case ResizeFilter::bilinear:
            return bilinear;
        case ResizeFilter::lanczos:
            return lanczos;
        case ResizeFilter::bicubic:
            break;
    }
    return bicubic;
}

struct Weights {
    std::int64_t first;
    std::vector<std::int32_t> values;
};

std::vector<Weights> windows(std::int64_t in, std::int64_t out, ResizeFilter filter) {
    std::vector<Weights> result(out);
    if (in == out) {
        for (std::int64_t o = 0; o < out; ++o) {
            result[o] = {o, {1 << weight_bits}};
        }
        return result;
    }
    const Axis axis = axis_of(in, out, filter);
    const Weigh weigh = weigh_of(filter);
    std::vector<double> line;
    for (std::int64_t o = 0; o < out; ++o) {
        const Window window = window_of(axis, o);
        line.clear();
        double sum = 0.0;
        for (std::int64_t x = window.first; x < window.stop; ++x) {
            const double w = weigh(window.distance(axis, x));
            line.push_back(w);
            sum += w;
        }
        result[o].first = window.first;
        for (double w : line) {
            result[o].values.push_back(fixed_point(w, sum));
        }
    }
    return result;
}

std::int32_t pack_bytes(const std::int32_t* digit) {
    std::uint32_t packed = 0;
    for (int i = 0; i < group; ++i) {
        packed |= static_cast<std::uint32_t>(digit[i] & 0xff) << (8 * i);
    }
    return static_cast<std::int32_t>(packed);
}

std::int32_t pack_words(std::int32_t first, std::int32_t second) {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(first) & 0xffff) |
                                     (static_cast<std::uint32_t>(second) << 16));
}

void cut_up(Taps& taps, std::int64_t o, std::int64_t padded_out) {
    for (int g = 0; g < taps.groups; ++g) {
        const std::int32_t* w = taps.weights_of(o) + g * group;
        std::int32_t digit[3][group];
        for (int i = 0; i < group; ++i) {
            const std::int32_t d0 = static_cast<std::int8_t>(w[i] & 0xff);
            const std::int32_t rest = (w[i] - d0) >> 8;
            const std::int32_t d1 = static_cast<std::int8_t>(rest & 0xff);
            const std::int32_t d2 = (rest - d1) >> 8;
            taps.has_digits = taps.has_digits && d2 >= -128 && d2 <= 127;
            digit[0][i] = d2;
            digit[1][i] = d1;
            digit[2][i] = d0;
        }
        for (int d = 0; d < 3; ++d) {
            const std::int32_t packed = pack_bytes(digit[d]);
            taps.digits[(o * taps.groups + g) * 3 + d] = packed;
            taps.digits_by_output[(g * 3 + d) * padded_out + o] = packed;
        }
        for (int p = 0; p < 2; ++p) {
            const std::int32_t* two = w + 2 * p;
            constexpr std::int32_t mask = (1 << low_bits) - 1;
            std::int32_t* pair = &taps.pairs[((o * taps.groups + g) * 2 + p) * 2];
            pair[0] = pack_words(two[0] >> low_bits, two[1] >> low_bits);
            pair[1] = pack_words(two[0] & mask, two[1] & mask);
        }
    }
}

}  // namespace

std::shared_ptr<const Taps> make_taps(std::int64_t in, std::int64_t out, ResizeFilter filter) {
    const std::vector<Weights> all = windows(in, out, filter);
    auto taps = std::make_shared<Taps>();
    taps->in = in;
    taps->out = out;
    for (const Weights& window : all) {
        taps->width = std::max(taps->width, static_cast<int>(window.values.size()));
    }
    taps->groups = (taps->width + group - 1) / group;
    const std::int64_t span = static_cast<std::int64_t>(taps->groups) * group;
    // Five taps of RGB fit one 16-byte load, which the SIMD passes use: they look no further.
    const std::int64_t reach = taps->width == 5 ? 5 : span;
    const std::int64_t padded_out = (out + out_padding - 1) / out_padding * out_padding;
    taps->start.assign(padded_out, 0);
    taps->last.assign(out, 0);
    taps->weights.assign(padded_out * span, 0);
    taps->digits.assign(padded_out * taps->groups * 3, 0);
    taps->digits_by_output.assign(padded_out * taps->groups * 3, 0);
    taps->pairs.assign(padded_out * span, 0);
    for (std::int64_t o = 0; o < out; ++o) {
        const Weights& window = all[o];
        const std::int64_t start = std::max<std::int64_t>(0, std::min(window.first, in - reach));
        taps->start[o] = static_cast<std::int32_t>(start);
        taps->last[o] = static_cast<std::int32_t>(window.first) +
                        std::max(static_cast<int>(window.values.size()), 1) - 1;
        std::copy(window.values.begin(), window.values.end(),
                  taps->weights.begin() + o * span + (window.first - start));
        cut_up(*taps, o, padded_out);
    }
    return taps;
}

std::shared_ptr<const Taps> cached_taps(std::int64_t in, std::int64_t out, ResizeFilter filter) {
    thread_local std::array<std::shared_ptr<const Taps>, 64> cache;
    thread_local std::array<ResizeFilter, 64> filters;
    const std::uint64_t key = static_cast<std::uint64_t>(in) * 2654435761u +
                              static_cast<std::uint64_t>(out) * 40503u +
                              static_cast<std::uint64_t>(filter);
    const std::size_t slot = (key ^ (key >> 17)) % cache.size();
    if (!cache[slot] || cache[slot]->in != in || cache[slot]->out != out ||
        filters[slot] != filter) {
        cache[slot] = make_taps(in, out, filter);
        filters[slot] = filter;
    }
    return cache[slot];
}

}  // namespace refpix::resize
