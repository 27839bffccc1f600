// A block per pair of masks whose boxes overlap. How much of one mask lies before a pixel is found
// in its running sums by bisection; so a pair costs two bisections for each foreground run of the
// mask that has fewer, wherever they lie, and memory is 16 bytes a run however large the masks.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_rle.h"
#include "kernels/rle_iou/rle_iou.h"

namespace refpix::cuda {
namespace {

constexpr int iou_threads = run_threads;
constexpr int iou_blocks = 10;     // per multiprocessor
constexpr int most_together = 32;  // pairs whose boxes a block compares at once
constexpr unsigned all_lanes = 0xffffffffu;
// In the order in which the CPU looks.
enum Slot { dt_structure = 0, gt_structure = 2, dt_sums = 4, gt_sums = 5, mismatch = 6, slots = 7 };

// One mask, its runs as sums.
struct Sums {
    const std::int64_t* ends;
    const std::int64_t* areas;
    std::int64_t runs;

    // Foreground before a pixel.
    __device__ std::int64_t before(std::int64_t pixel) const {
        if (pixel >= ends[runs - 1]) {
            return areas[runs - 1];
        }
        const std::int64_t run = rle::find_run(ends, runs, pixel);
        return areas[run] - (run % 2 != 0 ? ends[run] - pixel : 0);
    }
};

// dt and gt as one list.
struct Both {
    const RleIouRun& run;

    __device__ RunSums dt() const {
        return {run.args.dt, run.dt_ends, run.dt_areas, run.first_bad + dt_structure,
                run.first_bad + dt_sums};
    }
    __device__ RunSums gt() const {
        return {run.args.gt, run.gt_ends, run.gt_areas, run.first_bad + gt_structure,
                run.first_bad + gt_sums};
    }
    __device__ const std::int64_t* size(std::int64_t item) const {
        const RleIou& args = run.args;
        return item < args.dt.count ? args.dt.sizes + 2 * item
                                    : args.gt.sizes + 2 * (item - args.dt.count);
    }
    __device__ bool same_size(std::int64_t a, std::int64_t b) const {
        return size(a)[0] == size(b)[0] && size(a)[1] == size(b)[1];
    }
    __device__ Sums sums(std::int64_t item) const {
        const bool of_dt = item < run.args.dt.count;
        const std::int64_t* offsets =
            of_dt ? run.args.dt.offsets + item : run.args.gt.offsets + (item - run.args.dt.count);
        return {(of_dt ? run.dt_ends : run.gt_ends) + offsets[0],
                (of_dt ? run.dt_areas : run.gt_areas) + offsets[0], offsets[1] - offsets[0]};
    }
};

__global__ void measure(const __grid_constant__ RleIouRun run) {
    __shared__ std::uint64_t sums[run_threads / 32];
    sum_runs(Both{run}.dt(), blockIdx.x, gridDim.x, sums);
    sum_runs(Both{run}.gt(), blockIdx.x, gridDim.x, sums);
}

// What the threads of a block find out about a mask. Highest numbers as lowest of negative ones.
struct Bounds {
    long long first, minus_last;
    long long top, minus_bottom;
};

constexpr long long none = 0x7fffffffffffffff;

__device__ long long lower(long long a, long long b) {
    return a < b ? a : b;
}

__device__ Bounds lowest(const Bounds& a, const Bounds& b) {
    return {lower(a.first, b.first), lower(a.minus_last, b.minus_last), lower(a.top, b.top),
            lower(a.minus_bottom, b.minus_bottom)};
}

__device__ Bounds lowest_of_warp(Bounds own) {
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        own = lowest(own, {__shfl_xor_sync(all_lanes, own.first, lanes),
                           __shfl_xor_sync(all_lanes, own.minus_last, lanes),
                           __shfl_xor_sync(all_lanes, own.top, lanes),
                           __shfl_xor_sync(all_lanes, own.minus_bottom, lanes)});
    }
    return own;
}

// One thread; as rle::extent() on the host.
__device__ rle::Extent extent_of(const Bounds& bounds, const Sums& mask, std::int64_t height) {
    rle::Extent box;
    box.area = mask.areas[mask.runs - 1];
    box.first = bounds.first;
    box.stop = -bounds.minus_last + 1;
    box.x0 = box.first / height;
    box.x1 = (box.stop - 1) / height + 1;
    // A run that goes on in the next column takes up whole columns' height.
    const bool full = -bounds.minus_bottom > height;
    box.y0 = full ? 0 : bounds.top;
    box.y1 = full ? height : -bounds.minus_bottom;
    return box;
}

// Boxes and areas; sizes that differ from those of the first mask.
__global__ void find_extents(const __grid_constant__ RleIouRun run) {
    __shared__ Bounds found;
    if (any_bad(run.first_bad, mismatch)) {
        return;
    }
    const Both both{run};
    const RleIou& args = run.args;
    const bool check_sizes = args.strict && args.dt.count > 0 && args.gt.count > 0;
    for (std::int64_t item = blockIdx.x; item < args.dt.count + args.gt.count; item += gridDim.x) {
        const Sums mask = both.sums(item);
        const std::int64_t height = both.size(item)[0];
        if (threadIdx.x == 0) {
            found = Bounds{none, none, none, none};
            if (check_sizes && !both.same_size(0, item)) {
                note_bad(run.first_bad + mismatch, item);
            }
        }
        __syncthreads();
        Bounds own{none, none, none, none};
        for (std::int64_t i = 1 + 2 * std::int64_t{threadIdx.x}; i < mask.runs;
             i += 2 * iou_threads) {
            const long long start = mask.ends[i - 1];
            const long long stop = mask.ends[i];
            if (stop > start) {
                const long long row = start % height;
                own = lowest(own, {start, 1 - stop, row, start - stop - row});
            }
        }
        own = lowest_of_warp(own);
        if (threadIdx.x % 32 == 0) {
            atomicMin(&found.first, own.first);
            atomicMin(&found.minus_last, own.minus_last);
            atomicMin(&found.top, own.top);
            atomicMin(&found.minus_bottom, own.minus_bottom);
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            const bool empty = mask.runs == 0 || mask.areas[mask.runs - 1] == 0;
            run.extents[item] = empty ? rle::Extent{} : extent_of(found, mask, height);
        }
        __syncthreads();
    }
}

__device__ bool boxes_overlap(const rle::Extent& a, const rle::Extent& b) {
    return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}

// A thread's share of the pixels that two masks have in common: those of every iou_threads-th run
// of `few`, from the first that reaches into `extent`, which has all of `many`.
__device__ std::int64_t share(const Sums& few, const Sums& many, const rle::Extent& extent) {
    if (few.ends[few.runs - 1] <= extent.first) {
        return 0;
    }
    std::int64_t shared = 0;
    const std::int64_t first = rle::find_run(few.ends, few.runs, extent.first) | 1;
    for (std::int64_t i = first + 2 * std::int64_t{threadIdx.x}; i < few.runs;
         i += 2 * iou_threads) {
        const std::int64_t start = few.ends[i - 1];
        const std::int64_t stop = few.ends[i];
        if (start >= extent.stop) {
            break;
        }
        shared += stop > start ? many.before(stop) - many.before(start) : 0;
    }
    return shared;
}

// Of two masks whose boxes overlap; all threads get it.
__device__ double iou(const RleIouRun& run, std::int64_t d, std::int64_t g,
                      std::uint64_t (&totals)[iou_threads / 32]) {
    const Both both{run};
    const std::int64_t other = run.args.dt.count + g;
    const Sums dt = both.sums(d);
    const Sums gt = both.sums(other);
    const std::int64_t own =
        dt.runs <= gt.runs ? share(dt, gt, run.extents[other]) : share(gt, dt, run.extents[d]);
    const auto shared = static_cast<std::int64_t>(
        running_sum<iou_threads>(static_cast<std::uint64_t>(own), totals).all);
    if (shared == 0) {
        return 0;
    }
    const std::int64_t area = run.extents[d].area;
    const std::int64_t whole =
        run.args.iscrowd[g] != 0 ? area : area + run.extents[other].area - shared;
    return static_cast<double>(shared) / static_cast<double>(whole);
}

// What is at fault, in the order in which the CPU looks. One thread.
__device__ void name_fault(const RleIouRun& run) {
    const std::int64_t* bad = run.first_bad;
    const std::int64_t count = run.args.dt.count;
    const Both both{run};
    for (const int structure : {dt_structure, gt_structure}) {
        const std::int64_t before = structure == gt_structure ? count : 0;
        const std::int64_t offset = bad[structure];
        const std::int64_t size = bad[structure + 1];
        if (is_bad(offset)) {
            tell(run.fault, Fault::rle_bad_offsets, offset < 0 ? offset : before + offset);
            return;
        }
        if (is_bad(size)) {
            tell(run.fault, Fault::rle_bad_size, before + size);
            return;
        }
    }
    if (is_bad(bad[dt_sums])) {
        tell(run.fault, sum_fault(both.dt(), bad[dt_sums]), bad[dt_sums]);
    } else if (is_bad(bad[gt_sums])) {
        tell(run.fault, sum_fault(both.gt(), bad[gt_sums]), count + bad[gt_sums]);
    } else {
        tell(run.fault, Fault::rle_size_mismatch, bad[mismatch]);
    }
}

// `together` pairs at a time: those whose boxes overlap are left for the whole block.
__global__ void compare(const __grid_constant__ RleIouRun run, int together) {
    __shared__ std::uint64_t totals[iou_threads / 32];
    __shared__ std::int64_t waiting[most_together];
    __shared__ int count;
    if (any_bad(run.first_bad, slots)) {
        if (blockIdx.x == 0 && threadIdx.x == 0) {
            name_fault(run);
        }
        return;
    }
    const RleIou& args = run.args;
    const Both both{run};
    const std::int64_t pairs = args.dt.count * args.gt.count;
    const auto thread = static_cast<int>(threadIdx.x);
    for (std::int64_t from = std::int64_t{blockIdx.x} * together; from < pairs;
         from += std::int64_t{gridDim.x} * together) {
        __syncthreads();  // nobody reads the last pairs any more
        if (thread == 0) {
            count = 0;
        }
        __syncthreads();
        const std::int64_t pair = from + thread;
        if (thread < together && pair < pairs) {
            const std::int64_t d = pair / args.gt.count;
            const std::int64_t other = args.dt.count + pair % args.gt.count;
            if (!boxes_overlap(run.extents[d], run.extents[other])) {
                args.out[pair] = 0;
            } else if (!both.same_size(d, other)) {
                args.out[pair] = -1;
            } else {
                waiting[atomicAdd(&count, 1)] = pair;
            }
        }
        __syncthreads();
        for (int i = 0; i < count; ++i) {
            const std::int64_t at = waiting[i];
            const double quotient = iou(run, at / args.gt.count, at % args.gt.count, totals);
            if (thread == 0) {
                args.out[at] = quotient;
            }
        }
    }
}

}  // namespace

int rle_iou(const RleIouRun& run, DeviceStream stream) noexcept {
    const RleIou& args = run.args;
    cudaError_t error =
        cudaMemsetAsync(run.first_bad, no_item_byte, slots * sizeof(std::int64_t), stream);
    const std::int64_t masks = args.dt.count + args.gt.count;
    const unsigned blocks = blocks_for(masks + 1, iou_blocks);
    if (error == cudaSuccess) {
        error = launch(measure, blocks, run_threads, stream, run);
    }
    if (error == cudaSuccess) {
        error = launch(find_extents, blocks, iou_threads, stream, run);
    }
    if (error == cudaSuccess) {
        // Few pairs go one to a block; of many, most have nothing in common.
        const std::int64_t pairs = args.dt.count * args.gt.count;
        const std::int64_t each = pairs / (std::int64_t{multiprocessors()} * iou_blocks * 4);
        const int together = each < 1               ? 1
                             : each < most_together ? static_cast<int>(each)
                                                    : most_together;
        const std::int64_t groups = pairs / together + 1;
        error = launch(compare, blocks_for(groups, iou_blocks), iou_threads, stream, run, together);
    }
    return error;
}

}  // namespace refpix::cuda
