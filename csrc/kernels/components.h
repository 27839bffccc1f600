// Connected components of a mask that comes row by row as bits: by runs, joined in a forest whose
// roots are the smallest run of their component. So a component's number is the order in which a
// scan meets it.
#pragma once

#include <bit>
#include <cstdint>

#include "core/scratch.h"

namespace refpix {

class Components {
  public:
    struct Run {
        std::int32_t start;
        std::int32_t stop;
        std::int32_t parent;  // a run no later than itself; of a root, itself
        std::int32_t row;
    };

    struct Largest {
        std::int32_t root = -1;  // -1: there is no component
        std::int64_t area = 0;
    };

    // touching: diagonal neighbours count as well (8-connected).
    Components(Scratch<Run>& runs, Scratch<std::int32_t>& edges, std::int64_t width,
               bool touching) noexcept
        : runs_(runs), edges_(edges), width_(width), reach_(touching ? 1 : 0) {}

    // The next row, (width + 63) / 64 words. False when memory is short.
    bool add_row(const std::uint64_t* words) noexcept {
        const std::int64_t previous = row_start_;
        row_start_ = count_;
        if (!edges_.reserve(width_ + 2)) {
            return false;
        }
        const std::int64_t edges = find_edges(words);
        if (!runs_.reserve(count_ + edges / 2 + 1)) {
            return false;
        }
        std::int64_t above = previous;
        for (std::int64_t i = 0; i < edges; i += 2, ++count_) {
            const std::int32_t* edge = edges_.data() + i;
            const auto number = static_cast<std::int32_t>(count_);
            runs_.data()[count_] = {edge[0], edge[1], number, row_};
            above = join_above(above);
        }
        ++row_;
        return true;
    }

    // Points every run at its root and finds the largest component, the first of equals. The area
    // of every root is left in `areas`.
    bool finish(Scratch<std::int32_t>& areas, Largest* largest) noexcept {
        if (!areas.reserve(count_ + 1)) {
            return false;
        }
        Run* runs = runs_.data();
        std::int32_t* area = areas.data();
        for (std::int64_t i = 0; i < count_; ++i) {
            runs[i].parent = runs[runs[i].parent].parent;
            area[i] = 0;
            area[runs[i].parent] += runs[i].stop - runs[i].start;
        }
        *largest = {};
        for (std::int64_t i = 0; i < count_; ++i) {
            if (area[i] > largest->area) {
                *largest = {static_cast<std::int32_t>(i), area[i]};
            }
        }
        return true;
    }

    std::int64_t count() const noexcept { return count_; }
    const Run* runs() const noexcept { return runs_.data(); }

  private:
    // Columns where the row changes, a start and an end for every run.
    std::int64_t find_edges(const std::uint64_t* words) noexcept {
        std::int32_t* edges = edges_.data();
        std::int64_t count = 0;
        std::uint64_t carry = 0;
        for (std::int64_t x = 0; x < width_; x += 64, ++words) {
            std::uint64_t toggles = *words ^ (*words << 1 | carry);
            carry = *words >> 63;
            for (; toggles != 0; toggles &= toggles - 1) {
                edges[count++] = static_cast<std::int32_t>(x + std::countr_zero(toggles));
            }
        }
        if (count % 2 == 1) {
            edges[count++] = static_cast<std::int32_t>(width_);
        }
        return count;
    }

    std::int32_t root(std::int32_t run) noexcept {
        Run* runs = runs_.data();
        while (runs[run].parent != run) {
            runs[run].parent = runs[runs[run].parent].parent;
            run = runs[run].parent;
        }
        return run;
    }

    // Joins the newest run with those it touches in the row above, from `above` on. Returns the
    // first that the next run may touch.
    std::int64_t join_above(std::int64_t above) noexcept {
        Run* runs = runs_.data();
        Run& run = runs[count_];
        while (above < row_start_ && runs[above].stop + reach_ <= run.start) {
            ++above;
        }
        while (above < row_start_ && runs[above].start < run.stop + reach_) {
            const std::int32_t a = root(static_cast<std::int32_t>(above));
            const std::int32_t b = root(static_cast<std::int32_t>(count_));
            runs[a < b ? b : a].parent = a < b ? a : b;
            if (runs[above].stop + reach_ > run.stop) {  // may reach the next run as well
                break;
            }
            ++above;
        }
        return above;
    }

    Scratch<Run>& runs_;
    Scratch<std::int32_t>& edges_;
    std::int64_t width_;
    std::int32_t reach_;
    std::int64_t count_ = 0;
    std::int64_t row_start_ = 0;
    std::int32_t row_ = 0;
};

}  // namespace refpix
