#include "core/thread_pool.h"
#include "kernels/alpha_occlude/alpha_occlude.h"
#include "kernels/alpha_occlude/rows.h"

namespace refpix::cpu {
namespace {

using occlude::Spans;
using occlude::Sums;
using occlude::Work;

template <typename T>
void under_front(const AlphaOcclude& args, bool own, T* row, const std::uint8_t* matte,
                 std::int64_t from, std::int64_t to, Sums* sums) noexcept {
    if (own) {
        args.write ? occlude::run<Work::place, true>(row, matte, from, to, sums)
                   : occlude::run<Work::place, false>(row, matte, from, to, sums);
    } else {
        args.write ? occlude::run<Work::cover, true>(row, matte, from, to, sums)
                   : occlude::run<Work::cover, false>(row, matte, from, to, sums);
    }
}

// Columns first..stop-1 of a row, one segment. `matte` is that of column 0, if it had one.
template <typename T>
Sums segment_sums(const AlphaOcclude& args, bool own, T* row, const std::uint8_t* matte,
                  const Spans& spans, std::int64_t first, std::int64_t stop) noexcept {
    Sums sums{};
    const auto within = [&](std::int64_t from, std::int64_t to, auto&& work) {
        from = from > first ? from : first;
        to = to < stop ? to : stop;
        if (from < to) {
            work(from, to);
        }
    };
    const auto sum = [&](std::int64_t from, std::int64_t to) {
        occlude::run<Work::sum, false>(row, nullptr, from, to, &sums);
    };
    const auto cover = [&](std::int64_t from, std::int64_t to) {
        under_front(args, own, row, matte, from, to, &sums);
    };
    if (spans.c0 >= spans.c1) {
        within(spans.x0, spans.x1, sum);
    } else {
        within(spans.x0, spans.c0 < spans.x1 ? spans.c0 : spans.x1, sum);
        within(spans.c0, spans.c1, cover);
        within(spans.c1 > spans.x0 ? spans.c1 : spans.x0, spans.x1, sum);
    }
    return sums;
}

// What a plane's segments add up to.
struct Totals {
    double before[occlude::totals];
    double after[occlude::totals];
};

template <typename T>
void occlude_row(const AlphaOcclude& args, const occlude::Places& places, std::int64_t item,
                 std::int64_t y, Totals* totals) noexcept {
    const Spans spans = places.row(y);
    const std::int64_t segments = occlude::segments_of(args.width);
    T* row = static_cast<T*>(args.stack) + (item * args.height + y) * args.width;
    const std::uint8_t* matte =
        spans.c0 < spans.c1 ? args.front + ((y - args.y) * args.front_width - args.x) : nullptr;
    for (std::int64_t s = 0; s < segments; ++s) {
        const std::int64_t first = s * occlude::segment_columns;
        const std::int64_t stop = first + occlude::segment_columns;
        if ((stop <= spans.x0 || first >= spans.x1) && (stop <= spans.c0 || first >= spans.c1)) {
            continue;
        }
        Sums sums = segment_sums(args, places.own, row, matte, spans, first, stop);
        const std::int64_t at = (y * segments + s) % occlude::totals;
        totals->before[at] += occlude::add_up(sums.before);
        totals->after[at] += occlude::add_up(sums.after);
    }
}

template <typename T>
void occlude_plane(const AlphaOcclude& args, std::int64_t item) noexcept {
    const occlude::Places places = occlude::places_of(args, item);
    std::int64_t top = places.box.y0;
    std::int64_t bottom = places.box.y1;
    if (places.own && !places.front.empty()) {  // written outside its box as well
        top = places.front.y0 < top ? places.front.y0 : top;
        bottom = places.front.y1 > bottom ? places.front.y1 : bottom;
    }
    Totals totals{};
    for (std::int64_t y = top; y < bottom; ++y) {
        occlude_row<T>(args, places, item, y, &totals);
    }
    args.areas[2 * item] = occlude::add_up(totals.before);
    args.areas[2 * item + 1] = occlude::add_up(totals.after);
}

}  // namespace

Status alpha_occlude(const AlphaOcclude& args) noexcept {
    const Status checked = alpha::check_boxes(args.boxes, args.planes, args.height, args.width);
    if (!checked.ok()) {
        return checked;
    }
    parallel_for(args.index + 1, args.threads, [&](std::int64_t item) {
        if (args.type == alpha::PlaneType::float32) {
            occlude_plane<float>(args, item);
        } else {
            occlude_plane<double>(args, item);
        }
    });
    return {};
}

}  // namespace refpix::cpu
