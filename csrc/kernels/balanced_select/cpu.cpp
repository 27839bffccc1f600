// Candidates are told apart by integers, and by the published floats only where these say "equal
// but for rounding".
//
// With d the attributes of the picks so far, v a vector, t = d + v, T = sum(t), Q = sum(t^2) and n
// attributes, the published value is s = std(t / D), D = T + 1e-9, and (n s)^2 = (n Q - T^2) / D^2.
// Q = sum(d^2) + 2 d.v + |v| and T = sum(d) + |v| differ between vectors in |v|, by which they are
// sorted, and in d.v, their "overlap", which grows with each pick by what they share with it.
//
// How far rounding can move s, u = 2^-53: terms by u each; the mean (pairwise or not) by
// (n + 1) u of itself; a distance by its own rounding and these two; sum, division and root of the
// squares by (n + 3) u. With the mean of the terms below 1 / n, that is less than
// (1.2 n + 10) u (s + 1 / n); `margin` takes (2 n + 16) u. Whatever can win is within it.
#include <algorithm>
#include <cmath>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/balanced_select/balanced_select.h"
#include "kernels/balanced_select/candidates.h"
#include "kernels/balanced_select/steps.h"

namespace refpix::cpu {
namespace {

using balanced::Bucket;
using balanced::Candidates;
using balanced::nothing_left;

struct Steps {
    std::int32_t (*advance)(const balanced::Overlap&) noexcept;
    double (*spread)(const balanced::Spread&) noexcept;
};

Steps steps() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return {balanced::avx512::advance, balanced::avx2::spread};
    }
    if (active_isa() >= Isa::avx2) {
        return {balanced::avx2::advance, balanced::avx2::spread};
    }
#endif
    return {balanced::scalar::advance, balanced::scalar::spread};
}

class Selection {
  public:
    Selection(Candidates& candidates, std::int64_t width) noexcept
        : candidates_(candidates), width_(width), steps_(steps()) {}

    bool reserve() noexcept {
        if (!taken_.reserve(width_) || !terms_.reserve(width_) ||
            !picked_.reserve(candidates_.words)) {
            return false;
        }
        std::fill_n(taken_.data(), width_, 0.0);
        std::fill_n(picked_.data(), candidates_.words, std::uint64_t{0});
        return true;
    }

    // Place within the class; there must be one left.
    std::int64_t pick() noexcept {
        for (std::int64_t b = 0; b < candidates_.buckets; ++b) {
            Bucket& bucket = candidates_.bucket.data()[b];
            bucket.least = steps_.advance({candidates_.bits.data(), candidates_.vectors,
                                           candidates_.words, bucket.first, bucket.last,
                                           picked_.data(), candidates_.overlap.data()});
        }
        return take(best(limit()));
    }

  private:
    // (n s)^2 of a vector with so many attributes and such an overlap.
    double value(std::int64_t positive, std::int64_t overlap) const noexcept {
        const std::int64_t total = total_ + positive;
        const std::int64_t squares = squares_ + 2 * overlap + positive;
        const double scale = static_cast<double>(total) + 1e-9;
        return static_cast<double>(width_ * squares - total * total) / (scale * scale);
    }

    // Values above it cannot win.
    double limit() const noexcept {
        double least = HUGE_VAL;
        for (std::int64_t b = 0; b < candidates_.buckets; ++b) {
            const Bucket& bucket = candidates_.bucket.data()[b];
            if (bucket.least != nothing_left) {
                least = std::min(least, value(bucket.positive, bucket.least));
            }
        }
        const double margin = (2.0 * static_cast<double>(width_) + 16.0) * 0x1p-53;
        const double root = (std::sqrt(least) * (1.0 + margin) + 2.0 * margin) / (1.0 - margin);
        return root * root * (1.0 + 16.0 * 0x1p-53);
    }

    struct Best {
        double spread = HUGE_VAL;
        std::int64_t place = 0;
        std::int64_t vector = -1;
        std::int64_t positive = 0;
    };

    Best best(double limit) noexcept {
        Best best;
        for (std::int64_t b = 0; b < candidates_.buckets; ++b) {
            const Bucket& bucket = candidates_.bucket.data()[b];
            if (bucket.least == nothing_left || value(bucket.positive, bucket.least) > limit) {
                continue;
            }
            std::int32_t most = bucket.least;
            while (most + 1 < nothing_left && value(bucket.positive, most + 1) <= limit) {
                ++most;
            }
            for (std::int64_t v = bucket.first; v < bucket.last; ++v) {
                if (candidates_.overlap.data()[v] <= most) {
                    compare(v, bucket.positive, &best);
                }
            }
        }
        return best;
    }

    // The first in order wins between equal spreads.
    void compare(std::int64_t vector, std::int64_t positive, Best* best) noexcept {
        const std::int64_t place = candidates_.places.data()[candidates_.next.data()[vector]];
        const double spread =
            steps_.spread({taken_.data(), candidates_.bits.data() + vector, candidates_.vectors,
                           width_, static_cast<double>(total_ + positive), terms_.data()});
        if (spread < best->spread || (spread == best->spread && place < best->place)) {
            *best = {spread, place, vector, positive};
        }
    }

    std::int64_t take(const Best& best) noexcept {
        std::uint64_t* bits = candidates_.bits.data() + best.vector;
        squares_ += 2 * candidates_.overlap.data()[best.vector] + best.positive;
        total_ += best.positive;
        for (std::int64_t w = 0; w < candidates_.words; ++w) {
            picked_.data()[w] = bits[w * candidates_.vectors];
            for (std::uint64_t left = picked_.data()[w]; left != 0; left &= left - 1) {
                taken_.data()[64 * w + __builtin_ctzll(left)] += 1.0;
            }
        }
        if (++candidates_.next.data()[best.vector] == candidates_.end.data()[best.vector]) {
            candidates_.overlap.data()[best.vector] = nothing_left;
            for (std::int64_t w = 0; w < candidates_.words; ++w) {
                bits[w * candidates_.vectors] = 0;  // shares nothing any more
            }
        }
        return best.place;
    }

    Candidates& candidates_;
    std::int64_t width_;
    Steps steps_;
    std::int64_t total_ = 0;
    std::int64_t squares_ = 0;
    Scratch<double> taken_;
    Scratch<double> terms_;
    Scratch<std::uint64_t> picked_;
};

Status select_class(const BalancedSelect& args, std::int64_t item) noexcept {
    const std::int64_t begin = args.offsets[item];
    const std::int64_t rows = args.offsets[item + 1] - begin;
    const std::int64_t words = (args.width + 63) / 64;
    Scratch<std::uint64_t> bits;
    if (!bits.reserve(rows * words)) {
        return {Fault::out_of_memory, item, -1};
    }
    if (const Status packed = balanced::pack_rows(args, item, bits.data()); !packed.ok()) {
        return packed;
    }
    Candidates candidates;
    if (!balanced::gather_candidates(bits.data(), rows, words, &candidates)) {
        return {Fault::out_of_memory, item, -1};
    }
    if (candidates.usable < args.count) {
        return {Fault::selection_too_few, item, -1};
    }
    Selection selection(candidates, args.width);
    if (!selection.reserve()) {
        return {Fault::out_of_memory, item, -1};
    }
    for (std::int64_t k = 0; k < args.count; ++k) {
        args.out[item * args.count + k] = args.rows[begin + selection.pick()];
    }
    return {};
}

Status check_offsets(const BalancedSelect& args) noexcept {
    std::int64_t at = 0;
    for (std::int64_t item = 0; item < args.classes; ++item) {
        if (args.offsets[item] != at || args.offsets[item + 1] < at) {
            return {Fault::span_out_of_bounds, item, -1};
        }
        at = args.offsets[item + 1];
    }
    return at == args.rows_count ? Status{} : Status{Fault::span_out_of_bounds, -1, -1};
}

}  // namespace

Status balanced_select(const BalancedSelect& args) noexcept {
    // Overlaps are of 32 bits, and (n Q) of 64: both need no more than this.
    if (args.width > 0 && args.count >= INT32_MAX / args.width - 1) {
        return {Fault::size_overflow, -1, -1};
    }
    if (const Status checked = check_offsets(args); !checked.ok()) {
        return checked;
    }
    FirstFault faults;
    parallel_for(args.classes, args.threads,
                 [&](std::int64_t item) { faults.report(select_class(args, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
