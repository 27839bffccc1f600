#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/image_resize/taps.h"

namespace refpix::resize {
namespace {

double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

double bilinear(double x) {
    x = std::fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

double bicubic(double x) {
    constexpr double a = -0.5;
    x = std::fabs(x);
    if (x < 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    }
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

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

struct Filter {
    double (*weight)(double);
    double support;
};

Filter filter_of(ResizeFilter filter) {
    switch (filter) {
        case ResizeFilter::box:
            return {box, 0.5};
        case ResizeFilter::bilinear:
            return {bilinear, 1.0};
        case ResizeFilter::lanczos:
            return {lanczos, 3.0};
        case ResizeFilter::bicubic:
            break;
    }
    return {bicubic, 2.0};
}

std::int32_t fixed_point(double weight) {
    const double scaled = weight * (1 << weight_bits);
    return static_cast<std::int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

struct Window {
    std::int64_t first;
    std::vector<std::int32_t> weights;
};

std::vector<Window> windows(std::int64_t in, std::int64_t out, ResizeFilter filter) {
    std::vector<Window> result(out);
    if (in == out) {
        for (std::int64_t o = 0; o < out; ++o) {
            result[o] = {o, {1 << weight_bits}};
        }
        return result;
    }
    const Filter f = filter_of(filter);
    const double scale = static_cast<double>(in) / static_cast<double>(out);
    const double stretch = std::max(scale, 1.0);
    const double support = f.support * stretch;
    const double reciprocal = 1.0 / stretch;
    std::vector<double> line;
    for (std::int64_t o = 0; o < out; ++o) {
        const double centre = (static_cast<double>(o) + 0.5) * scale;
        const auto low =
            std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
        const auto high = std::min(in, static_cast<std::int64_t>(centre + support + 0.5));
        line.clear();
        double sum = 0.0;
        for (std::int64_t x = low; x < high; ++x) {
            const double w = f.weight((static_cast<double>(x) - centre + 0.5) * reciprocal);
            line.push_back(w);
            sum += w;
        }
        result[o].first = low;
        for (double w : line) {
            result[o].weights.push_back(fixed_point(sum != 0.0 ? w / sum : w));
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
    const std::vector<Window> all = windows(in, out, filter);
    auto taps = std::make_shared<Taps>();
    taps->in = in;
    taps->out = out;
    for (const Window& window : all) {
        taps->width = std::max(taps->width, static_cast<int>(window.weights.size()));
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
        const Window& window = all[o];
        const std::int64_t start = std::max<std::int64_t>(0, std::min(window.first, in - reach));
        taps->start[o] = static_cast<std::int32_t>(start);
        taps->last[o] = static_cast<std::int32_t>(window.first) +
                        std::max(static_cast<int>(window.weights.size()), 1) - 1;
        std::copy(window.weights.begin(), window.weights.end(),
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
