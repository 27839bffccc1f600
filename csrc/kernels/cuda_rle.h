// Run lengths on a device: checked, and as running sums, in which the run that holds a pixel is
// found by bisection. A block takes a mask, so a mask of a million runs is not spread over the
// device.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/rle.h"
#include "kernels/cuda_faults.h"
#include "kernels/cuda_scan.h"

namespace refpix::rle {

REFPIX_HD inline bool size_ok(std::int64_t height, std::int64_t width) {
    constexpr std::int64_t most = (std::int64_t{1} << 62) - 1;
    if ((height | width) >> 31 == 0) {
        return true;
    }
    return height >= 0 && width >= 0 && (height == 0 || width <= most / height);
}

// The run that holds a pixel: the first that ends behind it. `ends` of at least one run, the last
// of which ends behind the pixel. Several pixels at once, so that their loads do not wait for one
// another.
template <int Pixels>
REFPIX_HD inline void find_runs(const std::int64_t* ends, std::int64_t runs,
                                const std::int64_t (&pixels)[Pixels],
                                std::int64_t (&found)[Pixels]) {
    for (std::int64_t& run : found) {
        run = 0;
    }
    for (std::int64_t left = runs; left > 1;) {
        const std::int64_t half = left / 2;
        for (int i = 0; i < Pixels; ++i) {
            found[i] += ends[found[i] + half - 1] <= pixels[i] ? half : 0;
        }
        left -= half;
    }
    for (int i = 0; i < Pixels; ++i) {
        found[i] += ends[found[i]] <= pixels[i] ? 1 : 0;
    }
}

REFPIX_HD inline std::int64_t find_run(const std::int64_t* ends, std::int64_t runs,
                                       std::int64_t pixel) {
    const std::int64_t pixels[1] = {pixel};
    std::int64_t found[1];
    find_runs(ends, runs, pixels, found);
    return found[0];
}

}  // namespace refpix::rle

namespace refpix::cuda {

inline constexpr int run_threads = scan_threads;

// A batch and what is found out about it; device pointers all. Of several items at fault in the
// same way, the lowest is noted: an item number, -1 for the batch as a whole.
struct RunSums {
    Rles masks;
    std::int64_t* ends = nullptr;           // (size,): where each run ends, within its mask
    std::int64_t* areas = nullptr;          // (size,): foreground up to there; or none
    std::int64_t* bad_structure = nullptr;  // (2,): offsets, sizes
    std::int64_t* bad_sum = nullptr;        // (1,)

    __device__ std::int64_t runs(std::int64_t item) const {
        return masks.offsets[item + 1] - masks.offsets[item];
    }
    __device__ std::int64_t pixels(std::int64_t item) const {
        return masks.sizes[2 * item] * masks.sizes[2 * item + 1];
    }
};

__device__ inline void note_bad(std::int64_t* slot, std::int64_t item) {
    atomicMin(reinterpret_cast<long long*>(slot), static_cast<long long>(item));
}

// Slots begin as cudaMemsetAsync with no_item_byte leaves them.
__device__ inline bool is_bad(std::int64_t slot) {
    return slot < 0x7f7f7f7f7f7f7f7f;
}

__device__ inline bool any_bad(const std::int64_t* slots, int count) {
    bool bad = false;
    for (int i = 0; i < count; ++i) {
        bad |= is_bad(slots[i]);
    }
    return bad;
}

// One thread calls it.
__device__ inline void tell(DeviceFault* record, Fault fault, std::int64_t item) {
    if (atomicCAS(&record->taken, 0, 1) == 0) {
        record->fault = static_cast<std::int32_t>(fault);
        record->item = item;
        record->position = -1;
    }
}

// Of an item that was noted in bad_sum.
__device__ inline Fault sum_fault(const RunSums& run, std::int64_t item) {
    const std::int64_t stop = run.masks.offsets[item + 1];
    const std::int64_t sum = run.runs(item) > 0 ? run.ends[stop - 1] : 0;
    return sum < run.pixels(item) ? Fault::rle_too_short : Fault::rle_too_long;
}

// Checks items block, block + blocks, ... and sums their runs. A block of run_threads calls it;
// `sums` is shared memory.
__device__ inline void sum_runs(const RunSums& run, std::int64_t block, std::int64_t blocks,
                                std::uint64_t (&sums)[run_threads / 32]) {
    const Rles& masks = run.masks;
    const bool first_thread = threadIdx.x == 0;
    if (first_thread && block == 0 &&
        (masks.offsets[0] != 0 || masks.offsets[masks.count] != masks.size)) {
        note_bad(run.bad_structure, -1);
    }
    for (std::int64_t item = block; item < masks.count; item += blocks) {
        const std::int64_t start = masks.offsets[item];
        const std::int64_t stop = masks.offsets[item + 1];
        const bool ordered = stop >= start && stop <= masks.size;
        const bool sized = rle::size_ok(masks.sizes[2 * item], masks.sizes[2 * item + 1]);
        if (first_thread && !ordered) {
            note_bad(run.bad_structure, item);
        }
        if (first_thread && !sized) {
            note_bad(run.bad_structure + 1, item);
        }
        // A negative start is noted as the fault of an item before, or of the batch.
        if (!ordered || !sized || start < 0) {
            continue;
        }
        const std::uint32_t* counts = masks.counts;
        const std::uint64_t sum = sum_range<run_threads, 8>(
            start, stop, run.ends, sums, [=](std::int64_t i) { return std::uint64_t{counts[i]}; });
        if (run.areas != nullptr) {
            sum_range<run_threads, 8>(start, stop, run.areas, sums, [=](std::int64_t i) {
                return (i - start) % 2 != 0 ? std::uint64_t{counts[i]} : std::uint64_t{0};
            });
        }
        if (first_thread && sum != static_cast<std::uint64_t>(run.pixels(item))) {
            note_bad(run.bad_sum, item);
        }
    }
}

}  // namespace refpix::cuda
