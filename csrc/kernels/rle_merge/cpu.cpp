#include <cstdlib>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/rle_bits.h"
#include "kernels/rle_merge/rle_merge.h"

namespace refpix {
namespace {

constexpr std::uint32_t longest_run = 0xffffffff;

// Reads a mask run by run.
struct Runs {
    const std::uint32_t* next;
    const std::uint32_t* end;
    std::uint32_t left = 0;  // pixels left of the current run
    bool value = false;      // its value

    explicit Runs(const Rle& mask) noexcept : next(mask.counts), end(mask.counts + mask.runs) {
        if (next != end) {
            left = *next++;
        }
    }
    // At most one run at a time, also when the next one is empty: that is how runs of length zero
    // come through a merge in pycocotools.
    void take(std::uint32_t pixels) noexcept {
        left -= pixels;
        if (left == 0 && next != end) {
            left = *next++;
            value = !value;
        }
    }
};

// Writes a run that may be longer than one number holds.
std::uint32_t* put(std::int64_t run, std::uint32_t* out) noexcept {
    for (; run > longest_run; run -= longest_run) {
        *out++ = longest_run;
        *out++ = 0;
    }
    *out++ = static_cast<std::uint32_t>(run);
    return out;
}

// Returns how many runs it wrote. pycocotools stops where both masks come to a run of length zero
// at once, and loses the rest; here the end is where the pixels are used up.
std::int64_t merge_two(const Rle& first, const Rle& second, bool intersect,
                       std::uint32_t* out) noexcept {
    Runs a(first);
    Runs b(second);
    std::uint32_t* const start = out;
    std::int64_t rest = first.pixels();
    std::int64_t run = 0;
    bool value = false;
    do {
        const std::uint32_t step = a.left < b.left ? a.left : b.left;
        run += step;
        rest -= step;
        a.take(step);
        b.take(step);
        const bool before = value;
        value = intersect ? a.value && b.value : a.value || b.value;
        if (value != before || rest == 0) {
            out = put(run, out);
            run = 0;
        }
    } while (rest > 0);
    return out - start;
}

// A merge ends at the latest when both masks' runs are used up; a run of more than 32 bits, which
// put() breaks up, takes more than one of theirs.
std::int64_t room_for(const RleMerge& args, std::int64_t group) noexcept {
    const std::int64_t* const offsets = args.masks.offsets;
    return 3 * (offsets[args.groups[group + 1]] - offsets[args.groups[group]]) + 16;
}

Status merge_many(const RleMerge& args, std::int64_t group, std::uint32_t* out,
                  std::int64_t* runs) noexcept {
    const std::int64_t start = args.groups[group];
    const std::int64_t stop = args.groups[group + 1];
    const auto bytes = static_cast<std::size_t>(room_for(args, group)) * sizeof(std::uint32_t);
    auto* const spare = static_cast<std::uint32_t*>(std::malloc(bytes));
    if (spare == nullptr) {
        return {Fault::out_of_memory};
    }
    // In turns into one and the other, so that the last one goes into `out`.
    Rle merged = args.masks.item(start);
    for (std::int64_t item = start + 1; item < stop; ++item) {
        std::uint32_t* const to = (stop - item) % 2 != 0 ? out : spare;
        merged.runs = merge_two(merged, args.masks.item(item), args.intersect, to);
        merged.counts = to;
    }
    *runs = merged.runs;
    std::free(spare);
    return {};
}

// No run but the first is empty.
bool canonical(const Rle& mask) noexcept {
    bool empty = false;
    for (std::int64_t run = 1; run < mask.runs; ++run) {
        empty |= mask.counts[run] == 0;
    }
    return !empty;
}

// Whether the group's masks should be merged as bits: that gives the same runs where none are
// empty, and takes time with the pictures' pixels, but not with every mask the runs so far.
bool worth_packing(const RleMerge& args, std::int64_t group) noexcept {
    const std::int64_t start = args.groups[group];
    const std::int64_t stop = args.groups[group + 1];
    const std::int64_t runs = args.masks.offsets[stop] - args.masks.offsets[start];
    const std::int64_t pixels = args.masks.item(start).pixels();
    if (pixels == 0 || pixels > longest_run || pixels / 64 > 8 * runs) {
        return false;
    }
    for (std::int64_t item = start; item < stop; ++item) {
        if (!canonical(args.masks.item(item))) {
            return false;
        }
    }
    return true;
}

// Run lengths of bits [0, pixels); `value` is what the first run has. Bits behind are 0.
std::int64_t runs_of(const std::uint64_t* words, std::int64_t pixels, bool value,
                     std::uint32_t* out) noexcept {
    std::uint32_t* const start = out;
    std::uint64_t last = value ? 1 : 0;
    std::int64_t at = 0;  // where the run began
    for (std::int64_t word = 0; 64 * word < pixels; ++word) {
        const std::uint64_t bits = words[word];
        std::uint64_t changes = bits ^ (bits << 1 | last);
        last = bits >> 63;
        for (; changes != 0; changes &= changes - 1) {
            const std::int64_t next = 64 * word + __builtin_ctzll(changes);
            if (next >= pixels) {
                break;
            }
            *out++ = static_cast<std::uint32_t>(next - at);
            at = next;
        }
    }
    *out++ = static_cast<std::uint32_t>(pixels - at);
    return out - start;
}

// Sets the foreground of all masks, or, to intersect them, the background of all.
Status merge_bits(const RleMerge& args, std::int64_t group, std::uint32_t* out,
                  std::int64_t* runs) noexcept {
    const std::int64_t pixels = args.masks.item(args.groups[group]).pixels();
    auto* const words = static_cast<std::uint64_t*>(std::calloc(
        static_cast<std::size_t>(pixels / 64 + 1 + rle::spare_words), sizeof(std::uint64_t)));
    if (words == nullptr) {
        return {Fault::out_of_memory};
    }
    for (std::int64_t item = args.groups[group]; item < args.groups[group + 1]; ++item) {
        const Rle mask = args.masks.item(item);
        if (!args.intersect) {
            rle::set_runs(mask.counts, mask.runs, 0, words);
            continue;
        }
        if (mask.counts[0] > 0) {
            rle::set_bits(0, mask.counts[0], words);
        }
        rle::set_runs(mask.counts + 1, mask.runs - 1, mask.counts[0], words);
    }
    *runs = runs_of(words, pixels, args.intersect, out);
    std::free(words);
    return {};
}

Status merge_group(const RleMerge& args, std::int64_t group,
                   Ragged<std::uint32_t>* counts) noexcept {
    const std::int64_t start = args.groups[group];
    const std::int64_t items = args.groups[group + 1] - start;
    if (items < 2) {
        const Rle only = items == 1 ? args.masks.item(start) : Rle{};
        return {counts->set(group, only.counts, only.runs) ? Fault::none : Fault::out_of_memory};
    }
    std::uint32_t* const out = counts->reserve(group, room_for(args, group));
    if (out == nullptr) {
        return {Fault::out_of_memory};
    }
    const auto merge = worth_packing(args, group) ? merge_bits : merge_many;
    std::int64_t runs = 0;
    const Status status = merge(args, group, out, &runs);
    counts->shorten(group, runs);
    return status;
}

Status check_groups(const RleMerge& args) noexcept {
    if (args.groups[0] != 0 || args.groups[args.group_count] != args.masks.count) {
        return {Fault::rle_bad_offsets};
    }
    for (std::int64_t group = 0; group < args.group_count; ++group) {
        const std::int64_t stop = args.groups[group + 1];
        if (stop < args.groups[group] || stop > args.masks.count) {
            return {Fault::rle_bad_offsets, group, -1};
        }
    }
    return {};
}

// Sizes of the results; the masks of a group agree in theirs.
Status take_sizes(const RleMerge& args) noexcept {
    for (std::int64_t group = 0; group < args.group_count; ++group) {
        const std::int64_t start = args.groups[group];
        const Rle model = args.groups[group + 1] > start ? args.masks.item(start) : Rle{};
        for (std::int64_t item = start; item < args.groups[group + 1]; ++item) {
            const Rle mask = args.masks.item(item);
            if (mask.height != model.height || mask.width != model.width) {
                return {Fault::rle_size_mismatch, item, -1};
            }
        }
        args.sizes[2 * group] = model.height;
        args.sizes[2 * group + 1] = model.width;
    }
    return {};
}

}  // namespace

namespace cpu {

Status rle_merge(const RleMerge& args, Ragged<std::uint32_t>* counts) noexcept {
    Status status = args.masks.check();
    if (status.ok()) {
        status = check_groups(args);
    }
    if (!status.ok()) {
        return status;
    }
    FirstFault faults;
    parallel_for(args.masks.count, args.threads,
                 [&](std::int64_t item) { faults.report(args.masks.check_item(item)); });
    status = faults.status();
    if (status.ok()) {
        status = take_sizes(args);
    }
    if (!status.ok()) {
        return status;
    }
    if (!counts->resize(args.group_count)) {
        return {Fault::out_of_memory};
    }
    parallel_for(args.group_count, args.threads,
                 [&](std::int64_t group) { faults.report(merge_group(args, group, counts)); });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
