#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/image_resize_opencv/image_resize_opencv.h"
#include "kernels/image_resize_opencv/rows.h"

namespace refpix::cpu {
namespace {

using resize_opencv::weight_bits;

// The first of two samples, and the weights of both.
struct Tap {
    std::int64_t first;
    std::int32_t u, v;
};

// What all pictures of a call share.
struct Plan {
    Scratch<std::int32_t> first, weights;  // of columns, as `resize_opencv::Across` has them
    Scratch<Tap> rows;
};

Tap tap_of(std::int64_t place, double scale) noexcept {
    const auto at = static_cast<float>((static_cast<double>(place) + 0.5) * scale - 0.5);
    const float floor = std::floor(at);
    const float rest = at - floor;
    constexpr float one = 1 << weight_bits;
    return {static_cast<std::int64_t>(floor),
            static_cast<std::int32_t>(std::nearbyint((1.0F - rest) * one)),
            static_cast<std::int32_t>(std::nearbyint(rest * one))};
}

double scale_of(std::int64_t in, std::int64_t out) noexcept {
    return 1.0 / (static_cast<double>(out) / static_cast<double>(in));
}

bool make_plan(const ImageResizeOpencv& args, Plan* plan) noexcept {
    if (!plan->first.reserve(args.out_width) || !plan->weights.reserve(args.out_width) ||
        !plan->rows.reserve(args.out_height)) {
        return false;
    }
    const std::int64_t last = args.width - 1;
    for (std::int64_t x = 0; x < args.out_width; ++x) {
        Tap tap = tap_of(x, scale_of(args.width, args.out_width));
        // As OpenCV, columns beyond the edge repeat it; of one with nothing after it the sample is
        // the second of its pair.
        if (tap.first < 0 || last == 0) {
            tap = {0, 1 << weight_bits, 0};
        } else if (tap.first >= last) {
            tap = {last - 1, 0, 1 << weight_bits};
        }
        plan->first.data()[x] = static_cast<std::int32_t>(tap.first * args.channels);
        plan->weights.data()[x] = tap.u | tap.v << 16;
    }
    for (std::int64_t y = 0; y < args.out_height; ++y) {
        plan->rows.data()[y] = tap_of(y, scale_of(args.height, args.out_height));
    }
    return true;
}

void resize(const ImageResizeOpencv& args, const Plan& plan, const std::uint8_t* image,
            std::int16_t* lines, std::uint8_t* out) noexcept {
#if defined(REFPIX_X86)
    const bool wide = active_isa() >= Isa::avx2;
    const auto across = wide ? resize_opencv::avx2::across : resize_opencv::scalar::across;
    const auto down = wide ? resize_opencv::avx2::down : resize_opencv::scalar::down;
#else
    const auto across = resize_opencv::scalar::across;
    const auto down = resize_opencv::scalar::down;
#endif
    const std::int64_t stride = args.width * args.channels;
    const std::int64_t length = args.out_width * args.channels;
    const std::int64_t last = args.height - 1;
    std::int16_t* line[2] = {lines, lines + length + resize_opencv::line_padding};
    std::int64_t held[2] = {-1, -1};  // source rows that the lines are of
    for (std::int64_t y = 0; y < args.out_height; ++y) {
        const Tap tap = plan.rows.data()[y];
        // As OpenCV, rows beyond the edge repeat it and keep their weights.
        const std::int64_t wanted[2] = {std::clamp<std::int64_t>(tap.first, 0, last),
                                        std::clamp<std::int64_t>(tap.first + 1, 0, last)};
        if (held[0] != wanted[0] && held[1] == wanted[0]) {
            std::swap(line[0], line[1]);
            std::swap(held[0], held[1]);
        }
        for (int i = 0; i < 2; ++i) {
            if (held[i] != wanted[i]) {
                across({image + wanted[i] * stride, (args.height - wanted[i]) * stride,
                        plan.first.data(), plan.weights.data(), args.out_width, args.channels,
                        args.width > 1 ? args.channels : 0, line[i]});
                held[i] = wanted[i];
            }
        }
        down({line[0], line[1], static_cast<std::int16_t>(tap.u), static_cast<std::int16_t>(tap.v),
              length, out + y * length});
    }
}

// Half the size both ways is the mean of four pixels in OpenCV. A half is rounded up, but to even
// for numbers of channels that OpenCV has no vectors for.
void halve(const ImageResizeOpencv& args, const std::uint8_t* image, std::uint8_t* out) noexcept {
    const std::int64_t step = args.channels;
    const std::int64_t stride = args.width * step;
    const bool up = step == 1 || step == 3 || step == 4;
    for (std::int64_t y = 0; y < args.out_height; ++y) {
        const std::uint8_t* above = image + 2 * y * stride;
        const std::uint8_t* below = above + stride;
        for (std::int64_t x = 0; x < args.out_width; ++x) {
            for (std::int64_t c = 0; c < step; ++c) {
                const std::int64_t i = 2 * x * step + c;
                const int sum = above[i] + above[i + step] + below[i] + below[i + step];
                const int half = up ? 2 : 1 + (sum >> 2 & 1);
                *out++ = static_cast<std::uint8_t>((sum + half) >> 2);
            }
        }
    }
}

Status resize_item(const ImageResizeOpencv& args, const Plan& plan, std::int64_t item) noexcept {
    thread_local Scratch<std::int16_t> lines;
    const std::int64_t area = args.height * args.width * args.channels;
    const std::int64_t out_area = args.out_height * args.out_width * args.channels;
    const std::uint8_t* image = args.images + item * area;
    std::uint8_t* out = args.out + item * out_area;
    if (args.height == args.out_height && args.width == args.out_width) {
        std::memcpy(out, image, static_cast<std::size_t>(area));
        return {};
    }
    if (args.height == 2 * args.out_height && args.width == 2 * args.out_width) {
        halve(args, image, out);
        return {};
    }
    if (!lines.reserve(2 * (args.out_width * args.channels + resize_opencv::line_padding))) {
        return {Fault::out_of_memory, item, -1};
    }
    resize(args, plan, image, lines.data(), out);
    lines.release_large();
    return {};
}

}  // namespace

Status image_resize_opencv(const ImageResizeOpencv& args) noexcept {
    Plan plan;
    if (!make_plan(args, &plan)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(resize_item(args, plan, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
