// Runs of a row on the CPU. Plain loops that compilers make vectors of; wider ones than the
// baseline's gained nothing, as memory is what takes the time.
#pragma once

#include <cstdint>

#include "kernels/alpha_occlude/spans.h"

namespace refpix::occlude {

struct Sums {
    double before[lanes];
    double after[lanes];
};

// `count` values, the first of which belongs to lane `lane`.
template <Work work, bool write, typename T>
inline void step(T* plane, const std::uint8_t* matte, int lane, int count, Sums* sums) noexcept {
    for (int i = 0; i < count; ++i) {
        const T old = plane[i];
        const T now = work == Work::sum ? old : updated<work>(old, static_cast<T>(matte[i]));
        if constexpr (write) {
            plane[i] = now;
        }
        sums->before[lane + i] += static_cast<double>(old);
        sums->after[lane + i] += static_cast<double>(now);
    }
}

// Columns from..to-1 of a row of a plane, all of one segment; `matte` is that of column 0, if it
// had one.
template <Work work, bool write, typename T>
void run(T* row, const std::uint8_t* matte, std::int64_t from, std::int64_t to,
         Sums* sums) noexcept {
    const auto matte_at = [&](std::int64_t x) { return work == Work::sum ? matte : matte + x; };
    Sums local = *sums;
    std::int64_t x = from;
    const std::int64_t aligned = (from + lanes - 1) / lanes * lanes;
    if (x < aligned) {
        const std::int64_t stop = to < aligned ? to : aligned;
        step<work, write>(row + x, matte_at(x), static_cast<int>(x % lanes),
                          static_cast<int>(stop - x), &local);
        x = stop;
    }
    for (; x + lanes <= to; x += lanes) {
        step<work, write>(row + x, matte_at(x), 0, lanes, &local);
    }
    step<work, write>(row + x, matte_at(x), 0, static_cast<int>(to - x), &local);
    *sums = local;
}

// Adds up numbers, a power of two of them, by halves, in place.
template <int count>
inline double add_up(double (&values)[count]) noexcept {
    for (int half = count / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) {
            values[i] += values[i + half];
        }
    }
    return values[0];
}

}  // namespace refpix::occlude
