// One source for every instruction set: compiled for AVX2 and AVX-512 it was no faster than for
// the baseline (label maps 1.01 and 1.23 times its time), the maps have to come from memory.
#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

#include "core/thread_pool.h"
#include "kernels/confusion_matrix/cell.h"
#include "kernels/confusion_matrix/confusion_matrix.h"

namespace refpix::cpu {
namespace {

// Neighbouring pixels mostly share a cell, and an increment waits for the one before it when both
// hit the same address: pixels take turns over this many histograms.
constexpr std::int64_t lanes = 4;
// Larger matrices take one histogram a thread: four would leave the first cache.
constexpr std::int64_t most_cells_in_lanes = 1024;
// Fewer pixels are not worth waking a thread for.
constexpr std::int64_t least_pixels = 1 << 16;
// Label maps are regions of equal labels: a block whose pixels all agree is counted by one
// addition.
constexpr std::int64_t block_pixels = 32;

// Written so that the compiler makes vector instructions of it.
template <typename Pred, typename Gt>
bool uniform(const Pred* pred, const Gt* gt) noexcept {
    const Pred first_pred = pred[0];
    const Gt first_gt = gt[0];
    Pred pred_differs = 0;
    Gt gt_differs = 0;
    for (std::int64_t i = 0; i < block_pixels; ++i) {
        pred_differs = static_cast<Pred>(pred_differs | (pred[i] ^ first_pred));
        gt_differs = static_cast<Gt>(gt_differs | (gt[i] ^ first_gt));
    }
    return pred_differs == 0 && gt_differs == 0;
}

// What one thread counts: pixels first..last - 1 into (copies, num_labels^2) counts.
struct Slice {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t copies = 1;
    std::int64_t* counts = nullptr;
};

// First pixel with a negative cell, or -1.
template <typename Pred, typename Gt>
std::int64_t count_as(const ConfusionMatrix& args, const Slice& slice) noexcept {
    const auto* pred = static_cast<const Pred*>(args.pred);
    const auto* gt = static_cast<const Gt*>(args.gt);
    // Copies: a store to a count might change what a reference refers to, for all the compiler
    // knows.
    const std::int64_t labels = args.num_labels;
    const std::int64_t cells = labels * labels;
    const std::int64_t ignore = args.ignore;
    const std::int64_t last = slice.last;
    const std::int64_t stride = slice.copies == lanes ? cells : 0;
    std::int64_t* const counts = slice.counts;
    std::int64_t i = slice.first;
    while (i < last) {
        std::int64_t stop = last;
        std::int64_t weight = 1;
        if (last - i >= block_pixels) {
            stop = i + block_pixels;
            weight = uniform(pred + i, gt + i) ? block_pixels : 1;
        }
        for (std::int64_t lane = 0; i < stop; i += weight, lane = (lane + 1) & (lanes - 1)) {
            if (gt[i] == ignore) {
                continue;
            }
            const std::int64_t cell = confusion::cell(gt[i], pred[i], labels);
            if (cell < 0) {
                return i;
            }
            if (cell < cells) {
                counts[lane * stride + cell] += weight;
            }
        }
    }
    return -1;
}

std::int64_t count(const ConfusionMatrix& args, const Slice& slice) noexcept {
    if (args.pred_is_byte) {
        return args.gt_is_byte ? count_as<std::uint8_t, std::uint8_t>(args, slice)
                               : count_as<std::uint8_t, std::int32_t>(args, slice);
    }
    return args.gt_is_byte ? count_as<std::int32_t, std::uint8_t>(args, slice)
                           : count_as<std::int32_t, std::int32_t>(args, slice);
}

void add(const Slice& slice, std::int64_t cells, std::int64_t* out) noexcept {
    for (std::int64_t copy = 0; copy < slice.copies; ++copy) {
        for (std::int64_t cell = 0; cell < cells; ++cell) {
            out[cell] += slice.counts[copy * cells + cell];
        }
    }
}

}  // namespace

Status confusion_matrix(const ConfusionMatrix& args) noexcept {
    const std::int64_t cells = args.num_labels * args.num_labels;
    std::fill_n(args.out, cells, 0);
    const std::int64_t slices =
        std::clamp<std::int64_t>(args.pixels / least_pixels, 1, std::max(args.threads, 1));
    std::mutex mutex;
    std::int64_t negative = -1;  // the lowest pixel, so that the fault does not depend on timing
    bool out_of_memory = false;
    parallel_for(slices, args.threads, [&](std::int64_t i) {
        Slice slice;
        slice.first = args.pixels * i / slices;
        slice.last = args.pixels * (i + 1) / slices;
        slice.copies = cells <= most_cells_in_lanes ? lanes : 1;
        const std::unique_ptr<std::int64_t[]> counts(new (std::nothrow)
                                                         std::int64_t[cells * slice.copies]());
        slice.counts = counts.get();
        const std::int64_t found = counts ? count(args, slice) : -1;
        const std::lock_guard lock(mutex);
        if (!counts) {
            out_of_memory = true;
        } else if (found >= 0) {
            negative = negative < 0 ? found : std::min(negative, found);
        } else {
            add(slice, cells, args.out);
        }
    });
    if (out_of_memory) {
        return {Fault::out_of_memory, -1, -1};
    }
    return negative < 0 ? Status{} : confusion::fault_at(args, negative);
}

}  // namespace refpix::cpu
