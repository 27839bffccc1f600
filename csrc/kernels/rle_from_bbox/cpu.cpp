// A box drawn as a polygon of four corners is a rectangle of whole pixels: its upright edges cross
// no column, and on its level edges the rounding is that of the corners.
#include <algorithm>

#include "core/first_fault.h"
#include "core/rle.h"
#include "core/thread_pool.h"
#include "kernels/rle_from_bbox/rle_from_bbox.h"
#include "kernels/rle_grid.h"

namespace refpix::cpu {
namespace {

struct Side {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

// Cells of a picture that [start, start + length] covers; a negative length goes the other way.
Status side(double start, double length, std::int64_t cells, std::int64_t item,
            std::int64_t position, Side* out) noexcept {
    std::int32_t from = 0;
    std::int32_t to = 0;
    Status status = grid::line(start, item, position, &from);
    if (status.ok()) {
        status = grid::line(start + length, item, position + 16, &to);
        if (!status.ok() && std::isfinite(length)) {
            status.fault = Fault::polygon_too_large;  // the sum may be infinite
        }
    }
    out->begin = grid::cell(std::min(from, to), cells);
    out->end = grid::cell(std::max(from, to), cells);
    return status;
}

// Runs of the rectangle, written from `counts` on, and how many they are.
struct Runs {
    std::int64_t first;   // background before it
    std::int64_t inside;  // foreground at a time
    std::int64_t gap;     // background between two columns
    std::int64_t last;    // background after it
    std::int64_t pieces;  // runs of foreground

    Runs(const Side& x, const Side& y, std::int64_t height, std::int64_t width) noexcept {
        const std::int64_t rows = y.end - y.begin;
        const std::int64_t columns = x.end - x.begin;
        const bool whole = rows == height;
        pieces = rows == 0 || columns == 0 ? 0 : (whole ? 1 : columns);
        inside = whole ? rows * columns : rows;
        gap = height - rows;
        first = pieces > 0 ? x.begin * height + y.begin : height * width;
        last = pieces > 0 ? height * width - ((x.end - 1) * height + y.end) : 0;
    }
    bool fit() const noexcept {
        const std::int64_t most = std::max({first, last, pieces > 0 ? inside : 0});
        return most < std::int64_t{1} << 32 && (pieces < 2 || gap < std::int64_t{1} << 32);
    }
    std::int64_t count() const noexcept {
        return pieces == 0 ? 1 : 2 * pieces + (last > 0 ? 1 : 0);
    }
    void write(std::uint32_t* counts) const noexcept {
        *counts++ = static_cast<std::uint32_t>(first);
        for (std::int64_t i = 0; i < pieces; ++i) {
            *counts++ = static_cast<std::uint32_t>(inside);
            if (i + 1 < pieces) {
                *counts++ = static_cast<std::uint32_t>(gap);
            }
        }
        if (last > 0) {
            *counts = static_cast<std::uint32_t>(last);
        }
    }
};

Status draw(const RleFromBbox& args, std::int64_t item, Ragged<std::uint32_t>* out) noexcept {
    const double* const box = args.boxes + 4 * item;
    const std::int64_t height = args.sizes[2 * item];
    const std::int64_t width = args.sizes[2 * item + 1];
    Side x;
    Side y;
    Status status = side(box[0], box[2], width, item, 0, &x);
    if (status.ok()) {
        status = side(box[1], box[3], height, item, 8, &y);
    }
    if (!status.ok()) {
        return status;
    }
    const Runs runs(x, y, height, width);
    if (!runs.fit()) {
        return {Fault::rle_run_overflow, item, -1};
    }
    std::uint32_t* const counts = out->reserve(item, runs.count());
    if (counts == nullptr) {
        return {Fault::out_of_memory, item, -1};
    }
    runs.write(counts);
    return {};
}

}  // namespace

Status rle_from_bbox(const RleFromBbox& args, Ragged<std::uint32_t>* out) noexcept {
    const Status sizes = check_mask_sizes(args.sizes, args.count);
    if (!sizes.ok()) {
        return sizes;
    }
    if (!out->resize(args.count)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(draw(args, item, out)); });
    return faults.status();
}

}  // namespace refpix::cpu
