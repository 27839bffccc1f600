#include <algorithm>
#include <cmath>

#include "kernels/trimap_from_alpha/element.h"

namespace refpix::trimap {
namespace {

// Half widths of the element's rows by their distance from the middle, on one of its sides.
struct Side {
    Scratch<std::int32_t> left;
    Scratch<std::int32_t> right;
    std::int64_t rows = 0;  // the middle row included
};

// One side of the ellipse applied once, as OpenCV draws it: of an even size the last row and column
// are missing. Rows further away than the map is high are left out.
bool draw(std::int64_t size, std::int64_t rows, std::int64_t width, Side* side) noexcept {
    const std::int64_t radius = size / 2;
    side->rows = rows;
    if (!side->left.reserve(rows) || !side->right.reserve(rows)) {
        return false;
    }
    const double scale =
        radius == 0 ? 0.0 : 1.0 / (static_cast<double>(radius) * static_cast<double>(radius));
    for (std::int64_t y = 0; y < rows; ++y) {
        const auto rest = static_cast<double>(radius * radius - y * y);
        const double half = static_cast<double>(radius) * std::sqrt(rest * scale);
        const std::int64_t dx = std::min<std::int64_t>(std::lrint(half), radius);  // half to even
        side->left.data()[y] = static_cast<std::int32_t>(std::min(dx, width));
        side->right.data()[y] = static_cast<std::int32_t>(std::min({dx, size - 1 - radius, width}));
    }
    return true;
}

// One more application: widest[k] = most of sum[k - i] + once[i]. False when nothing changed.
bool add_once(const std::int32_t* once, std::int64_t once_rows, std::int32_t* sum,
              std::int64_t rows, std::int64_t known, std::int64_t width) noexcept {
    bool changed = false;
    for (std::int64_t k = rows - 1; k >= 0; --k) {  // downwards, so that sum[k - i] is still old
        std::int32_t most = -1;
        for (std::int64_t i = std::max<std::int64_t>(0, k - known + 1);
             i <= std::min(k, once_rows - 1); ++i) {
            most = std::max(most, sum[k - i] + once[i]);
        }
        most = std::min(most, static_cast<std::int32_t>(width));
        changed |= most != sum[k];
        sum[k] = most;
    }
    return changed;
}

// The side applied `iterations` times.
bool repeat(const Side& once, std::int64_t iterations, std::int64_t height, std::int64_t width,
            Side* all) noexcept {
    const std::int64_t most =
        once.rows - 1 > (height - 1) / iterations ? height : (once.rows - 1) * iterations + 1;
    const std::int64_t rows = std::min(height, most);
    if (!all->left.reserve(rows) || !all->right.reserve(rows)) {
        return false;
    }
    all->rows = rows;
    for (std::int64_t k = 0; k < rows; ++k) {
        all->left.data()[k] = k < once.rows ? once.left.data()[k] : -1;
        all->right.data()[k] = k < once.rows ? once.right.data()[k] : -1;
    }
    std::int64_t known = std::min(rows, once.rows);
    for (std::int64_t i = 1; i < iterations; ++i) {
        const std::int64_t next = std::min(rows, known + once.rows - 1);
        const bool wider =
            add_once(once.left.data(), once.rows, all->left.data(), next, known, width);
        const bool further =
            add_once(once.right.data(), once.rows, all->right.data(), next, known, width);
        known = next;
        if (!wider && !further) {
            break;
        }
    }
    return true;
}

// Rows of the whole element by their offset, upwards negative.
struct Rows {
    const Side& up;
    const Side& down;

    std::int64_t first() const noexcept { return 1 - up.rows; }
    std::int64_t last() const noexcept { return down.rows - 1; }
    std::int32_t left(std::int64_t k) const noexcept {
        return k < 0 ? up.left.data()[-k] : down.left.data()[k];
    }
    std::int32_t right(std::int64_t k) const noexcept {
        return k < 0 ? up.right.data()[-k] : down.right.data()[k];
    }
};

void add(std::int64_t k, std::int32_t left, std::int32_t right, Reach* list,
         std::int64_t* count) noexcept {
    if (right >= -left) {
        list[(*count)++] = {static_cast<std::int32_t>(-k), -right, left};
    }
}

void sort(Reach* list, std::int64_t count) noexcept {
    std::sort(list, list + count, [](const Reach& a, const Reach& b) {
        const std::int32_t wide_a = a.last - a.first;
        const std::int32_t wide_b = b.last - b.first;
        return wide_a != wide_b ? wide_a < wide_b : a.down < b.down;
    });
}

}  // namespace

bool make_element(std::int64_t size, std::int64_t iterations, std::int64_t height,
                  std::int64_t width, Element* element) noexcept {
    const std::int64_t radius = size / 2;
    Side once_up;
    Side once_down;
    Side up;
    Side down;
    if (!draw(size, std::min(height, radius + 1), width, &once_up) ||
        !draw(size, std::min(height, size - radius), width, &once_down) ||
        !repeat(once_up, iterations, height, width, &up) ||
        !repeat(once_down, iterations, height, width, &down) ||
        !element->across.reserve(up.rows + down.rows) ||
        !element->below.reserve(up.rows + down.rows)) {
        return false;
    }
    const Rows rows{up, down};
    element->n_across = element->n_below = 0;
    for (std::int64_t k = rows.first(); k <= rows.last(); ++k) {
        // Both pixels beside an edge must lie within the element.
        add(k, rows.left(k), rows.right(k) - 1, element->across.data(), &element->n_across);
        if (k < rows.last()) {
            add(k, std::min(rows.left(k), rows.left(k + 1)),
                std::min(rows.right(k), rows.right(k + 1)), element->below.data(),
                &element->n_below);
        }
    }
    sort(element->across.data(), element->n_across);
    sort(element->below.data(), element->n_below);
    return true;
}

}  // namespace refpix::trimap
