// What is done to one row of a plane, and in which order values are added up, shared by the CPU
// and the device. Sums of doubles depend on their order, so it is part of the result:
//   Columns are cut into segments of 512. In one, the value in column x is added to lane x % 8, by
//   rising columns. The lanes are added up by halves.
//   Segments of a plane are numbered by rows; the sum of number s is added to total s % 256, by
//   rising numbers. The totals are added up by halves.
// Adding zeros changes nothing in such a sum (it begins with +0), so what lies outside a box, and
// is zero, need not be looked at.
#pragma once

#include <cstdint>

#include "kernels/alpha_occlude/alpha_occlude.h"
#include "kernels/alpha_planes.h"

namespace refpix::occlude {

inline constexpr int lanes = 8;
inline constexpr int segment_columns = 512;
inline constexpr int totals = 256;

REFPIX_HD inline std::int64_t segments_of(std::int64_t width) {
    return (width + segment_columns - 1) / segment_columns;
}

enum class Work {
    sum,    // nothing covers the value: it counts before and after
    cover,  // plane *= 1 - matte / 255, each operation rounded to T
    place,  // plane = matte / 255; what was there counts as before
};

// The definition of the kernel, for one value.
template <Work work, typename T>
REFPIX_HD inline T updated(T plane, T matte) {
    if constexpr (work == Work::cover) {
        return plane * (T(1) - matte / T(255));
    } else if constexpr (work == Work::place) {
        return matte / T(255);
    } else {
        return plane;
    }
}

// Columns of one row of a plane: [x0, x1) may be other than zero, [c0, c1) changes. Either may be
// empty.
struct Spans {
    std::int64_t x0, x1, c0, c1;
};

// Of one plane.
struct Places {
    alpha::Box box;    // outside it the plane is zero
    alpha::Box front;  // of the matte in front, clipped to the plane
    bool own;          // the plane that takes it

    REFPIX_HD Spans row(std::int64_t y) const {
        const bool boxed = y >= box.y0 && y < box.y1;
        const bool covered = y >= front.y0 && y < front.y1;
        Spans spans{boxed ? box.x0 : 0, boxed ? box.x1 : 0, covered ? front.x0 : 0,
                    covered ? front.x1 : 0};
        if (!own) {  // zeros stay zeros
            spans.c0 = spans.c0 > spans.x0 ? spans.c0 : spans.x0;
            spans.c1 = spans.c1 < spans.x1 ? spans.c1 : spans.x1;
        }
        if (spans.c0 >= spans.c1) {
            spans.c0 = spans.c1 = 0;
        }
        return spans;
    }
};

REFPIX_HD inline Places places_of(const AlphaOcclude& args, std::int64_t item) {
    return {
        alpha::box_of(args.boxes, item, args.height, args.width),
        alpha::clip(args.x, args.y, args.front_width, args.front_height, args.width, args.height),
        item == args.index,
    };
}

}  // namespace refpix::occlude
