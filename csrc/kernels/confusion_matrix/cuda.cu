// Threads take runs of neighbouring pixels and count those that agree by one addition: in a
// histogram of the block's in shared memory, which is added to the result at the end, or where the
// matrix is too large for that in the result itself. Integers may be added in any order.
#include <cstdint>

#include "kernels/confusion_matrix/cell.h"
#include "kernels/confusion_matrix/confusion_matrix.h"
#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"

namespace refpix::cuda {
namespace {

constexpr int count_threads = 256;
constexpr int count_blocks = 4;      // per multiprocessor
constexpr int run_pixels = 16;       // of a thread
constexpr int small_cells = 1024;    // 32 labels
constexpr int shared_cells = 12000;  // 109 labels; static shared memory ends at 48 KB
// A block's counts have 32 bits.
constexpr std::int64_t most_block_pixels = std::int64_t{1} << 31;

struct alignas(16) Chunk {
    std::uint32_t words[4];
};

// Sixteen labels; by whole chunks where they are aligned.
template <typename T>
__device__ void load_run(const T* at, std::int32_t (&labels)[run_pixels]) {
    constexpr int in_chunk = 16 / sizeof(T);
    if (reinterpret_cast<std::uintptr_t>(at) % 16 != 0) {
#pragma unroll
        for (int i = 0; i < run_pixels; ++i) {
            labels[i] = at[i];
        }
        return;
    }
#pragma unroll
    for (int first = 0; first < run_pixels; first += in_chunk) {
        const Chunk chunk = *reinterpret_cast<const Chunk*>(at + first);
#pragma unroll
        for (int i = 0; i < in_chunk; ++i) {
            const std::uint32_t word = chunk.words[i * static_cast<int>(sizeof(T)) / 4];
            labels[first + i] = static_cast<T>(word >> (8 * (i * static_cast<int>(sizeof(T)) % 4)));
        }
    }
}

// Counts neighbours of one cell together.
template <typename Add>
struct Counter {
    const ConfusionMatrix& args;
    std::int64_t* first_bad;
    const Add& add;
    std::int64_t cell = -1;
    unsigned pixels = 0;

    __device__ void take(std::int32_t pred, std::int32_t gt, std::int64_t pixel) {
        if (gt == args.ignore) {
            return;
        }
        const std::int64_t own = confusion::cell(gt, pred, args.num_labels);
        if (own < 0) {
            atomicMin(reinterpret_cast<long long*>(first_bad), static_cast<long long>(pixel));
            return;
        }
        if (own != cell) {
            flush();
            cell = own;
        }
        ++pixels;
    }

    __device__ void flush() {
        if (pixels != 0 && cell < args.num_labels * args.num_labels) {
            add(cell, pixels);
        }
        pixels = 0;
    }
};

// All pixels, by the threads of the grid.
template <typename Pred, typename Gt, typename Add>
__device__ void count_pixels(const ConfusionMatrix& args, std::int64_t* first_bad, const Add& add) {
    const auto* pred = static_cast<const Pred*>(args.pred);
    const auto* gt = static_cast<const Gt*>(args.gt);
    const std::int64_t step = std::int64_t{gridDim.x} * count_threads * run_pixels;
    for (std::int64_t first = (std::int64_t{blockIdx.x} * count_threads + threadIdx.x) * run_pixels;
         first < args.pixels; first += step) {
        Counter<Add> counter{args, first_bad, add};
        if (first + run_pixels <= args.pixels) {
            std::int32_t preds[run_pixels], gts[run_pixels];
            load_run(pred + first, preds);
            load_run(gt + first, gts);
#pragma unroll
            for (int i = 0; i < run_pixels; ++i) {
                counter.take(preds[i], gts[i], first + i);
            }
        } else {
            for (std::int64_t i = first; i < args.pixels; ++i) {
                counter.take(pred[i], gt[i], i);
            }
        }
        counter.flush();
    }
}

__device__ void add_to(std::int64_t* out, std::int64_t cell, unsigned pixels) {
    atomicAdd(reinterpret_cast<unsigned long long*>(out + cell),
              static_cast<unsigned long long>(pixels));
}

template <int cells, typename Pred, typename Gt>
__global__ void count_shared(const __grid_constant__ ConfusionMatrix args,
                             std::int64_t* first_bad) {
    __shared__ unsigned counts[cells];
    const int used = static_cast<int>(args.num_labels * args.num_labels);
    for (int i = static_cast<int>(threadIdx.x); i < used; i += count_threads) {
        counts[i] = 0;
    }
    __syncthreads();
    count_pixels<Pred, Gt>(args, first_bad, [&](std::int64_t cell, unsigned pixels) {
        atomicAdd(counts + cell, pixels);
    });
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < used; i += count_threads) {
        if (counts[i] != 0) {
            add_to(args.out, i, counts[i]);
        }
    }
}

template <typename Pred, typename Gt>
__global__ void count_global(const __grid_constant__ ConfusionMatrix args,
                             std::int64_t* first_bad) {
    count_pixels<Pred, Gt>(args, first_bad, [&](std::int64_t cell, unsigned pixels) {
        add_to(args.out, cell, pixels);
    });
}

struct Check {
    ConfusionMatrix args;

    REFPIX_HD Status operator()(std::int64_t pixel) const {
        return confusion::fault_at(args, pixel);
    }
};

template <typename Pred, typename Gt>
cudaError_t count(const ConfusionMatrixRun& run, cudaStream_t stream) noexcept {
    const ConfusionMatrix& args = run.args;
    const std::int64_t cells = args.num_labels * args.num_labels;
    auto* kernel = cells <= small_cells    ? count_shared<small_cells, Pred, Gt>
                   : cells <= shared_cells ? count_shared<shared_cells, Pred, Gt>
                                           : count_global<Pred, Gt>;
    const std::int64_t groups =
        (args.pixels + count_threads * run_pixels - 1) / (count_threads * run_pixels);
    const std::int64_t usual = blocks_for(groups, count_blocks);
    const std::int64_t least = args.pixels / most_block_pixels * 2 + 1;
    return launch(kernel, static_cast<unsigned>(usual > least ? usual : least), count_threads,
                  stream, args, run.first_bad);
}

}  // namespace

int confusion_matrix(const ConfusionMatrixRun& run, DeviceStream stream) noexcept {
    const ConfusionMatrix& args = run.args;
    const auto cells = static_cast<std::size_t>(args.num_labels * args.num_labels);
    cudaError_t error = cudaMemsetAsync(args.out, 0, cells * sizeof(std::int64_t), stream);
    if (error != cudaSuccess || args.pixels == 0) {
        return error;
    }
    error = cudaMemsetAsync(run.first_bad, no_item_byte, sizeof(std::int64_t), stream);
    if (error == cudaSuccess) {
        error = args.pred_is_byte ? args.gt_is_byte ? count<std::uint8_t, std::uint8_t>(run, stream)
                                                    : count<std::uint8_t, std::int32_t>(run, stream)
                : args.gt_is_byte ? count<std::int32_t, std::uint8_t>(run, stream)
                                  : count<std::int32_t, std::int32_t>(run, stream);
    }
    if (error == cudaSuccess) {
        error = name_fault(Check{args}, args.pixels, run.first_bad, run.fault, stream);
    }
    return error;
}

}  // namespace refpix::cuda
