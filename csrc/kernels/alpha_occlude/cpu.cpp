#include "core/thread_pool.h"
#include "kernels/alpha_occlude/alpha_occlude.h"
#include "kernels/alpha_occlude/rows.h"

namespace refpix::cpu {
namespace {

using occlude::Sums;
using occlude::Work;

double total(const double* lanes) noexcept {
    double sum = 0.0;
    for (int lane = 0; lane < occlude::lanes; ++lane) {
        sum += lanes[lane];
    }
    return sum;
}

template <typename T>
void under_front(const AlphaOcclude& args, bool own, T* plane, const std::uint8_t* matte,
                 std::int64_t count, Sums* sums) noexcept {
    if (own) {
        args.write ? occlude::run<Work::place, true>(plane, matte, count, sums)
                   : occlude::run<Work::place, false>(plane, matte, count, sums);
    } else {
        args.write ? occlude::run<Work::cover, true>(plane, matte, count, sums)
                   : occlude::run<Work::cover, false>(plane, matte, count, sums);
    }
}

// One row: [x0, x1) is where the plane may be other than zero, [c0, c1) what lies under the front.
template <typename T>
void occlude_row(const AlphaOcclude& args, bool own, T* row, std::int64_t y, std::int64_t x0,
                 std::int64_t x1, std::int64_t c0, std::int64_t c1, Sums* sums) noexcept {
    const auto sum = [&](std::int64_t from, std::int64_t to) {
        if (from < to) {
            occlude::run<Work::sum, false>(row + from, nullptr, to - from, sums);
        }
    };
    if (!own) {  // zeros stay zeros
        c0 = c0 > x0 ? c0 : x0;
        c1 = c1 < x1 ? c1 : x1;
    }
    if (c0 >= c1) {
        sum(x0, x1);
        return;
    }
    sum(x0, c0 < x1 ? c0 : x1);
    const std::uint8_t* matte = args.front + (y - args.y) * args.front_width + (c0 - args.x);
    under_front(args, own, row + c0, matte, c1 - c0, sums);
    sum(c1 > x0 ? c1 : x0, x1);
}

template <typename T>
void occlude_plane(const AlphaOcclude& args, std::int64_t item) noexcept {
    const bool own = item == args.index;
    const alpha::Box front =
        alpha::clip(args.x, args.y, args.front_width, args.front_height, args.width, args.height);
    const alpha::Box box = alpha::box_of(args.boxes, item, args.height, args.width);
    std::int64_t top = box.y0;
    std::int64_t bottom = box.y1;
    if (own && !front.empty()) {  // the new plane is written outside its box as well
        top = front.y0 < top ? front.y0 : top;
        bottom = front.y1 > bottom ? front.y1 : bottom;
    }
    T* plane = static_cast<T*>(args.stack) + item * args.height * args.width;
    Sums sums{};
    for (std::int64_t y = top; y < bottom; ++y) {
        const bool boxed = y >= box.y0 && y < box.y1;
        const bool covered = y >= front.y0 && y < front.y1;
        occlude_row(args, own, plane + y * args.width, y, boxed ? box.x0 : 0, boxed ? box.x1 : 0,
                    covered ? front.x0 : 0, covered ? front.x1 : 0, &sums);
    }
    args.areas[2 * item] = total(sums.before);
    args.areas[2 * item + 1] = total(sums.after);
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
