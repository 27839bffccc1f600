#include "core/thread_pool.h"
#include "kernels/alpha_composite/alpha_composite.h"
#include "kernels/alpha_composite/blend.h"
#include "kernels/alpha_composite/linear.h"
#include "kernels/alpha_composite/place.h"
#include "kernels/alpha_composite/rows.h"

namespace refpix::cpu {
namespace {

constexpr std::int64_t band_rows = 64;  // what one thread takes at a time

// A run of pixels of one row, of the foreground and of the background under it.
struct Run {
    std::int64_t under;  // index of the first value in `out`
    std::int64_t over;   // and in `foregrounds`
    std::int64_t matte;  // and in `mattes`
    std::int64_t pixels;
};

template <typename T>
struct Values {
    T* under;
    const T* over;
    const T* matte;
};

template <typename T>
Values<T> values(const AlphaComposite& args, const Run& run) noexcept {
    const auto* mattes = static_cast<const T*>(args.mattes);
    return {static_cast<T*>(args.out) + run.under,
            static_cast<const T*>(args.foregrounds) + run.over,
            mattes == nullptr ? nullptr : mattes + run.matte};
}

void linear_run(const AlphaComposite& args, const Run& run) noexcept {
    const composite::LinearTables& tables = composite::linear_tables();
    const auto at = values<std::uint8_t>(args, run);
    for (std::int64_t i = 0; i < run.pixels; ++i) {
        if (at.matte[i] == 0) {
            continue;
        }
        const float matte = static_cast<float>(at.matte[i]) / 255.0F;
        for (std::int64_t c = i * args.channels; c < (i + 1) * args.channels; ++c) {
            at.under[c] = composite::blend_linear(tables, at.under[c], at.over[c], matte);
        }
    }
}

void real_run(const AlphaComposite& args, const Run& run) noexcept {
    const auto at = values<float>(args, run);
    for (std::int64_t i = 0; i < run.pixels; ++i) {
        for (std::int64_t c = i * args.channels; c < (i + 1) * args.channels; ++c) {
            at.under[c] = composite::mix(at.under[c], at.over[c], at.matte[i]);
        }
    }
}

void composite_run(const AlphaComposite& args, const Run& run) noexcept {
    switch (args.mode) {
        case CompositeMode::paste: {
            const auto at = values<std::uint8_t>(args, run);
            composite::paste_row(active_isa())(
                {at.under, at.over, at.matte, run.pixels, args.channels});
            return;
        }
        case CompositeMode::rgba: {
            const auto at = values<std::uint8_t>(args, run);
            for (std::int64_t i = 0; i < run.pixels; ++i) {
                composite::over_rgba(at.under + 4 * i, at.over + 4 * i);
            }
            return;
        }
        case CompositeMode::linear:
            return linear_run(args, run);
        case CompositeMode::real:
            return real_run(args, run);
    }
}

void composite_rows(const AlphaComposite& args, std::int64_t item, std::int64_t first,
                    std::int64_t last) noexcept {
    const std::int64_t x = args.positions[2 * item];
    const std::int64_t y = args.positions[2 * item + 1];
    const composite::Range columns = composite::visible(x, args.fg_width, args.width);
    const composite::Range rows = composite::visible(y, args.fg_height, args.height);
    if (columns.empty()) {
        return;
    }
    const std::int64_t from = first > rows.start ? first : rows.start;
    const std::int64_t to = last < rows.stop ? last : rows.stop;
    for (std::int64_t row = from; row < to; ++row) {
        const std::int64_t matte = (item * args.fg_height + row) * args.fg_width + columns.start;
        const std::int64_t under = (item * args.height + y + row) * args.width + x + columns.start;
        composite_run(args, {under * args.channels, matte * args.channels, matte,
                             columns.stop - columns.start});
    }
}

}  // namespace

Status alpha_composite(const AlphaComposite& args) noexcept {
    const std::int64_t bands = (args.fg_height + band_rows - 1) / band_rows;
    parallel_for(args.count * bands, args.threads, [&](std::int64_t task) {
        const std::int64_t first = task % bands * band_rows;
        composite_rows(args, task / bands, first, first + band_rows);
    });
    return {};
}

}  // namespace refpix::cpu
