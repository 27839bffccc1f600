// A column is crossed where the outline steps from line 5c + 2 to line 5c + 3 of the grid. The
// published program walks all points of the outline to find these steps; here each edge is asked
// for the points at the columns it spans, with the same arithmetic, so that its length outside the
// picture costs nothing.
#include <algorithm>
#include <utility>
#include <vector>

#include "core/rle.h"
#include "kernels/rle_from_polygon/rle_from_polygon.h"
#include "kernels/rle_grid.h"
#include "kernels/rle_toggles.h"

namespace refpix::cpu {
namespace {

struct Vertex {
    std::int64_t x;
    std::int64_t y;
    std::int64_t column;  // the first one that is not crossed left of here
};

// Crossings lie sorted by column: those of column first + i are rows[ends[i - 1]..ends[i]).
struct Scratch {
    std::vector<Vertex> vertices;
    std::vector<std::int64_t> ends;
    std::vector<std::uint32_t> rows;
    Toggles toggles;

    void release() noexcept {
        release_if_large(vertices);
        release_if_large(ends);
        release_if_large(rows);
        toggles.release();
    }
};

// Where crossings go.
struct Sink {
    std::int64_t* next;   // by column: where in rows its next crossing goes
    std::uint32_t* rows;  // a row is below 2^32 / 5 + 1, or the height
    std::int64_t height;

    void add(std::int64_t column, std::int64_t line) const noexcept {
        rows[next[column]++] = static_cast<std::uint32_t>(grid::cell(line, height));
    }
};

// An edge with at least as many steps in x as in y has a point on every line of x.
void cross_flat(const Vertex& left, const Vertex& right, std::int64_t first, const Sink& sink) {
    const double slope =
        static_cast<double>(right.y - left.y) / static_cast<double>(right.x - left.x);
    const auto start = static_cast<double>(left.y);
    // Of the two points at a crossing the upper one counts.
    const std::int64_t origin = left.x - (slope < 0 ? 3 : 2);
    for (std::int64_t column = left.column; column < right.column; ++column) {
        const double y = start + slope * static_cast<double>(5 * column - origin) + 0.5;
        sink.add(column - first, static_cast<std::int64_t>(y));
    }
}

// An edge with more steps in y has a point on every line of y; the crossing is where the rounded x
// first lies beyond the middle of the column.
struct Steep {
    double start;
    double slope;
    bool rising;

    bool beyond(std::int64_t step, double middle) const noexcept {
        return (start + slope * static_cast<double>(step) + 0.5 >= middle) == rising;
    }
    // For coordinates so large that rounding errors exceed the steps in x.
    std::int64_t search(std::int64_t steps, double middle) const noexcept {
        std::int64_t before = 0;
        while (steps - before > 1) {
            const std::int64_t step = before + (steps - before) / 2;
            (beyond(step, middle) ? steps : before) = step;
        }
        return steps;
    }
};

void cross_steep(const Vertex& upper, const Vertex& lower, std::int64_t first, const Sink& sink) {
    const std::int64_t dx = lower.x - upper.x;
    const std::int64_t dy = lower.y - upper.y;
    const Steep edge{static_cast<double>(upper.x),
                     static_cast<double>(dx) / static_cast<double>(dy), dx > 0};
    const double steps_per_line = static_cast<double>(dy) / static_cast<double>(dx);
    // Below these bounds the estimate, rounded, is the step wanted or the one before it.
    const bool exact = dy < 1 << 23 && upper.x < 1 << 24 && upper.x > -(1 << 24);
    const std::int64_t stop = std::max(upper.column, lower.column);
    for (std::int64_t column = std::min(upper.column, lower.column); column < stop; ++column) {
        const auto middle = static_cast<double>(5 * column + 3);
        std::int64_t step;
        if (exact) {
            step = static_cast<std::int64_t>((middle - 0.5 - edge.start) * steps_per_line + 0.5);
            step += edge.beyond(step, middle) ? 0 : 1;
        } else {
            step = edge.search(dy, middle);
        }
        sink.add(column - first, upper.y + step - 1);
    }
}

void cross(const Vertex& a, const Vertex& b, std::int64_t first, const Sink& sink) {
    const std::int64_t dx = a.x < b.x ? b.x - a.x : a.x - b.x;
    const std::int64_t dy = a.y < b.y ? b.y - a.y : a.y - b.y;
    if (dx >= dy) {
        const bool forward = a.x < b.x;
        cross_flat(forward ? a : b, forward ? b : a, first, sink);
    } else {
        const bool forward = a.y < b.y;
        cross_steep(forward ? a : b, forward ? b : a, first, sink);
    }
}

void order(std::uint32_t& a, std::uint32_t& b) {
    const std::uint32_t low = a < b ? a : b;
    b = a < b ? b : a;
    a = low;
}

// An outline crosses a column an even number of times, most often two or four. Which of two rows is
// lower cannot be foreseen, so those are put in order without a branch.
void sort_rows(std::uint32_t* begin, std::uint32_t* end) {
    if (end - begin == 2) {
        order(begin[0], begin[1]);
        return;
    }
    if (end - begin == 4) {
        order(begin[0], begin[1]);
        order(begin[2], begin[3]);
        order(begin[0], begin[2]);
        order(begin[1], begin[3]);
        order(begin[1], begin[2]);
        return;
    }
    if (end - begin > 32) {
        std::sort(begin, end);
        return;
    }
    for (std::uint32_t* at = begin + 1; at < end; ++at) {
        const std::uint32_t row = *at;
        std::uint32_t* to = at;
        for (; to > begin && to[-1] > row; --to) {
            *to = to[-1];
        }
        *to = row;
    }
}

Status read_vertices(const RleFromPolygon& args, std::int64_t item, std::int64_t width,
                     std::vector<Vertex>& vertices) {
    const double* const xy = args.coordinates + args.offsets[item];
    const std::int64_t points = (args.offsets[item + 1] - args.offsets[item]) / 2;
    if (points == 0) {
        return {Fault::polygon_empty, item, -1};
    }
    vertices.resize(static_cast<std::size_t>(points) + 1);
    for (std::int64_t i = 0; i < points; ++i) {
        std::int32_t x;
        std::int32_t y;
        Status status = grid::line(xy[2 * i], item, 16 * i, &x);
        if (status.ok()) {
            status = grid::line(xy[2 * i + 1], item, 16 * i + 8, &y);
        }
        if (!status.ok()) {
            return status;
        }
        vertices[i] = {x, y, grid::cell(x, width)};
    }
    vertices[points] = vertices[0];
    return {};
}

// Counting sort by column: how many edges cross each is known from the columns of their ends.
// Returns the first column.
std::int64_t find_crossings(Scratch& scratch, std::int64_t height) {
    const std::vector<Vertex>& vertices = scratch.vertices;
    std::int64_t first = vertices[0].column;
    std::int64_t last = first;
    for (const Vertex& vertex : vertices) {
        first = std::min(first, vertex.column);
        last = std::max(last, vertex.column);
    }
    std::vector<std::int64_t>& ends = scratch.ends;
    ends.assign(static_cast<std::size_t>(last - first) + 1, 0);
    for (std::size_t i = 1; i < vertices.size(); ++i) {
        const auto [from, to] = std::minmax(vertices[i - 1].column, vertices[i].column);
        ++ends[from - first];
        --ends[to - first];
    }
    std::int64_t crossing = 0;
    std::int64_t total = 0;
    for (std::int64_t& end : ends) {
        crossing += end;
        end = total;
        total += crossing;
    }
    scratch.rows.resize(static_cast<std::size_t>(total));
    const Sink sink{ends.data(), scratch.rows.data(), height};
    for (std::size_t i = 1; i < vertices.size(); ++i) {
        if (vertices[i - 1].column != vertices[i].column) {
            cross(vertices[i - 1], vertices[i], first, sink);
        }
    }
    return first;
}

// Not inlined: see make_each.
[[gnu::noinline]] Status draw(const RleFromPolygon& args, std::int64_t item, Scratch& scratch,
                              Ragged<std::uint32_t>* out) {
    const std::int64_t height = args.sizes[2 * item];
    const std::int64_t width = args.sizes[2 * item + 1];
    const Status status = read_vertices(args, item, width, scratch.vertices);
    if (!status.ok()) {
        return status;
    }
    const std::int64_t first = find_crossings(scratch, height);
    std::uint32_t* const rows = scratch.rows.data();
    const auto columns = static_cast<std::int64_t>(scratch.ends.size()) - 1;
    scratch.toggles.clear(static_cast<std::int64_t>(scratch.rows.size()));
    Toggles::Writer writer(scratch.toggles);
    std::int64_t begin = 0;
    for (std::int64_t i = 0; i < columns; ++i) {
        const std::int64_t end = scratch.ends[i];
        sort_rows(rows + begin, rows + end);
        for (; begin < end; ++begin) {
            writer.add((first + i) * height + rows[begin]);
        }
    }
    writer.done(scratch.toggles);
    return scratch.toggles.store(item, height * width, out);
}

Status check_offsets(const RleFromPolygon& args) noexcept {
    if (args.offsets[0] != 0 || args.offsets[args.count] != args.size) {
        return {Fault::rle_bad_offsets, -1, -1};
    }
    for (std::int64_t i = 0; i < args.count; ++i) {
        if (args.offsets[i + 1] < args.offsets[i] || args.offsets[i + 1] > args.size) {
            return {Fault::rle_bad_offsets, i, -1};
        }
    }
    return check_mask_sizes(args.sizes, args.count);
}

}  // namespace

Status rle_from_polygon(const RleFromPolygon& args, Ragged<std::uint32_t>* out) noexcept {
    const Status bounds = check_offsets(args);
    if (!bounds.ok()) {
        return bounds;
    }
    return make_each<Scratch>(
        args.count, args.threads, out,
        [&](std::int64_t item, Scratch& scratch) { return draw(args, item, scratch, out); });
}

}  // namespace refpix::cpu
