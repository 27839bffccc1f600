// Runs of a row. Value i of a run is added to lane i % lanes, so that sums do not depend on the
// instructions the compiler finds; wider ones than the baseline's gained nothing, as memory is what
// takes the time.
#pragma once

#include <cstdint>

namespace refpix::occlude {

inline constexpr int lanes = 8;

struct Sums {
    double before[lanes];
    double after[lanes];
};

enum class Work {
    sum,    // nothing covers the run: it counts before and after
    cover,  // plane *= 1 - matte / 255, each operation rounded to T
    place,  // plane = matte / 255; what was there counts as before
};

// The definition of the kernel, for one value.
template <Work work, typename T>
inline T updated(T plane, T matte) noexcept {
    if constexpr (work == Work::cover) {
        return plane * (T(1) - matte / T(255));
    } else if constexpr (work == Work::place) {
        return matte / T(255);
    } else {
        return plane;
    }
}

template <Work work, bool write, typename T>
inline void step(T* plane, const std::uint8_t* matte, int count, Sums* sums) noexcept {
    for (int lane = 0; lane < count; ++lane) {
        const T old = plane[lane];
        const T now = work == Work::sum ? old : updated<work>(old, static_cast<T>(matte[lane]));
        if constexpr (write) {
            plane[lane] = now;
        }
        sums->before[lane] += static_cast<double>(old);
        sums->after[lane] += static_cast<double>(now);
    }
}

template <Work work, bool write, typename T>
void run(T* plane, const std::uint8_t* matte, std::int64_t count, Sums* sums) noexcept {
    Sums local = *sums;
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        step<work, write>(plane + i, work == Work::sum ? nullptr : matte + i, lanes, &local);
    }
    step<work, write>(plane + i, work == Work::sum ? nullptr : matte + i,
                      static_cast<int>(count - i), &local);
    *sums = local;
}

}  // namespace refpix::occlude
