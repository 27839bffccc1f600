// The pixels are read once, to leave as bits where the value differs from the pixel before, in the
// order of the runs: down the columns. Bits are an eighth of the pixels, and counting them, summing
// up and writing out where runs end goes over those. Lanes of a warp lie along the axis whose
// neighbours are nearer in memory.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_scan.h"
#include "kernels/rle_encode/rle_encode.h"

namespace refpix::cuda {
namespace {

constexpr int encode_threads = 256;
constexpr int encode_warps = encode_threads / 32;
constexpr int encode_blocks = 8;   // per multiprocessor
constexpr int words_together = 4;  // of one thread's column, when lanes are columns
constexpr int words_of_warp = 16;  // one after the other, when lanes are rows
constexpr int words_each = encode_tile / encode_threads;
constexpr unsigned all_lanes = 0xffffffffu;

// One mask.
struct Mask {
    const std::uint8_t* pixels;
    std::int64_t height, width;
    std::int64_t stride_y, stride_x;
    std::int64_t down;  // words of a column
    bool change;

    __device__ std::uint8_t value(std::int64_t y, std::int64_t x) const {
        const std::uint8_t pixel = pixels[y * stride_y + x * stride_x];
        return change ? pixel : pixel != 0;
    }
    // Of the pixel before (y, x).
    __device__ std::uint8_t before(std::int64_t y, std::int64_t x) const {
        return y > 0 ? value(y - 1, x) : x > 0 ? value(height - 1, x - 1) : std::uint8_t{0};
    }
};

__device__ Mask mask_of(const RleEncode& args, std::int64_t item) {
    return {args.masks + item * args.stride_item,
            args.height,
            args.width,
            args.stride_y,
            args.stride_x,
            (args.height + 31) / 32,
            args.change};
}

__device__ std::int64_t warp_number() {
    return std::int64_t{blockIdx.x} * encode_warps + threadIdx.x / 32;
}

// A lane takes a column.
__global__ void find_changes_by_rows(const __grid_constant__ RleEncodeRun run) {
    const RleEncode& args = run.args;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t down = (args.height + 31) / 32;
    const std::int64_t across = (args.width + 31) / 32;
    const std::int64_t bands = (down + words_together - 1) / words_together;
    const std::int64_t warps = std::int64_t{gridDim.x} * encode_warps;
    for (std::int64_t at = warp_number(); at < args.count * bands * across; at += warps) {
        const std::int64_t item = at / (bands * across);
        const std::int64_t first = at / across % bands * words_together;
        const std::int64_t x = at % across * 32 + lane;
        if (x >= args.width) {
            continue;
        }
        const Mask mask = mask_of(args, item);
        std::uint32_t* const words = run.words + (item * args.width + x) * down;
        std::uint8_t last = mask.before(32 * first, x);
        for (std::int64_t word = first; word < first + words_together && word < down; ++word) {
            const std::int64_t left = args.height - 32 * word;
            const int rows = left < 32 ? static_cast<int>(left) : 32;
            std::uint32_t changes = 0;
#pragma unroll 8
            for (int row = 0; row < rows; ++row) {
                const std::uint8_t value = mask.value(32 * word + row, x);
                changes |= (value != last ? 1u : 0u) << row;
                last = value;
            }
            words[word] = changes;
        }
    }
}

// A lane takes a row.
__global__ void find_changes_by_columns(const __grid_constant__ RleEncodeRun run) {
    const RleEncode& args = run.args;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t down = (args.height + 31) / 32;
    const std::int64_t all = args.width * down;
    const std::int64_t parts = (all + words_of_warp - 1) / words_of_warp;
    const std::int64_t warps = std::int64_t{gridDim.x} * encode_warps;
    for (std::int64_t at = warp_number(); at < args.count * parts; at += warps) {
        const std::int64_t item = at / parts;
        const std::int64_t first = at % parts * words_of_warp;
        const Mask mask = mask_of(args, item);
        std::int64_t x = first / down;
        std::int64_t band = first % down;
        for (std::int64_t word = first; word < first + words_of_warp && word < all; ++word) {
            const std::int64_t y = 32 * band + lane;
            const bool differs = y < args.height && mask.value(y, x) != mask.before(y, x);
            const unsigned changes = __ballot_sync(all_lanes, differs);
            if (lane == 0) {
                run.words[item * all + word] = changes;
            }
            if (++band == down) {
                band = 0;
                ++x;
            }
        }
    }
}

// Of each tile.
__global__ void count_changes(const __grid_constant__ RleEncodeRun run, std::int64_t words,
                              std::int64_t tiles) {
    __shared__ std::uint64_t sums[encode_warps];
    for (std::int64_t at = blockIdx.x; at < run.args.count * tiles; at += gridDim.x) {
        const std::int64_t item = at / tiles;
        const std::int64_t first = at % tiles * encode_tile + threadIdx.x;
        std::uint64_t own = 0;
        for (int i = 0; i < words_each; ++i) {
            const std::int64_t word = first + i * encode_threads;
            own += word < words ? __popc(run.words[item * words + word]) : 0;
        }
        const RunningSum sum = running_sum<encode_threads>(own, sums);
        if (threadIdx.x == 0) {
            run.changes[at + 1] = static_cast<std::int64_t>(sum.all);
        }
    }
}

// Where runs end within their masks, the last with the mask; offsets and sizes.
__global__ void find_ends(const __grid_constant__ RleEncodeRun run, std::int64_t words,
                          std::int64_t tiles) {
    __shared__ std::uint64_t sums[encode_warps];
    const RleEncode& args = run.args;
    const std::int64_t down = (args.height + 31) / 32;
    for (std::int64_t at = blockIdx.x; at < args.count * tiles; at += gridDim.x) {
        const std::int64_t item = at / tiles;
        const std::int64_t tile = at % tiles;
        const std::int64_t first = tile * encode_tile + std::int64_t{threadIdx.x} * words_each;
        std::uint32_t own[words_each];
        std::uint64_t changes = 0;
#pragma unroll
        for (int i = 0; i < words_each; ++i) {
            own[i] = first + i < words ? run.words[item * words + first + i] : 0;
            changes += static_cast<unsigned>(__popc(own[i]));
        }
        const RunningSum sum = running_sum<encode_threads>(changes, sums);
        // A run for each change before, and one more for each mask before.
        std::int64_t* end =
            run.ends + run.changes[at] + item + static_cast<std::int64_t>(sum.here - changes);
        std::int64_t x = changes != 0 ? first / down : 0;
        std::int64_t band = first - x * down;
#pragma unroll
        for (int i = 0; i < words_each; ++i) {
            const std::int64_t position = x * args.height + 32 * band;
            for (std::uint32_t left = own[i]; left != 0; left &= left - 1) {
                *end++ = position + __ffs(static_cast<int>(left)) - 1;
            }
            if (++band == down) {
                band = 0;
                ++x;
            }
        }
        if (threadIdx.x == 0 && tile == 0) {
            run.offsets[item] = run.changes[at] + item;
            run.sizes[2 * item] = args.height;
            run.sizes[2 * item + 1] = args.width;
        }
        if (threadIdx.x == 0 && tile == tiles - 1) {
            run.ends[run.changes[at + 1] + item] = args.height * args.width;
            run.offsets[item + 1] = run.changes[at + 1] + item + 1;
        }
    }
}

// Of a run, by bisection.
__device__ std::int64_t item_of(const RleEncodeRun& run, std::int64_t number) {
    std::int64_t low = 0;
    std::int64_t high = run.args.count;
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (run.offsets[middle] <= number ? low : high) = middle;
    }
    return low;
}

__global__ void take_differences(const __grid_constant__ RleEncodeRun run) {
    const std::int64_t pixels = run.args.height * run.args.width;
    const std::int64_t threads = std::int64_t{gridDim.x} * encode_threads;
    for (std::int64_t i = std::int64_t{blockIdx.x} * encode_threads + threadIdx.x; i < run.runs;
         i += threads) {
        // Only the last run of a mask ends where the mask does: behind it another begins.
        const std::int64_t before = i > 0 ? run.ends[i - 1] : pixels;
        const std::int64_t length = run.ends[i] - (before == pixels ? 0 : before);
        run.counts[i] = static_cast<std::uint32_t>(length);
        if (length > 0xffffffff) {
            atomicMin(reinterpret_cast<long long*>(run.first_bad),
                      static_cast<long long>(item_of(run, i)));
        }
    }
}

struct Overflow {
    __device__ Status operator()(std::int64_t item) const {
        return {Fault::rle_run_overflow, item, -1};
    }
};

bool lanes_are_columns(const RleEncode& args) noexcept {
    const auto magnitude = [](std::int64_t stride) { return stride < 0 ? -stride : stride; };
    return args.height == 1 ||
           (args.width > 1 && magnitude(args.stride_x) < magnitude(args.stride_y));
}

cudaError_t find_changes(const RleEncodeRun& run, DeviceStream stream) noexcept {
    const RleEncode& args = run.args;
    const bool by_rows = lanes_are_columns(args);
    const std::int64_t down = (args.height + 31) / 32;
    const std::int64_t warps =
        by_rows
            ? args.count * ((down + words_together - 1) / words_together) * ((args.width + 31) / 32)
            : args.count * (encode_words(args) / words_of_warp + 1);
    const unsigned blocks = blocks_for((warps + encode_warps - 1) / encode_warps, encode_blocks);
    return launch(by_rows ? find_changes_by_rows : find_changes_by_columns, blocks, encode_threads,
                  stream, run);
}

}  // namespace

int rle_encode_count(const RleEncodeRun& run, DeviceStream stream) noexcept {
    const RleEncode& args = run.args;
    cudaError_t error = cudaMemsetAsync(run.changes, 0, sizeof(std::int64_t), stream);
    if (error == cudaSuccess && args.count > 0 && encode_words(args) > 0) {
        error = find_changes(run, stream);
    }
    if (error == cudaSuccess && args.count > 0) {
        const std::int64_t tiles = encode_tiles(args);
        error = launch(count_changes, blocks_for(args.count * tiles, encode_blocks), encode_threads,
                       stream, run, encode_words(args), tiles);
        if (error == cudaSuccess) {
            error = launch(sum_up<encode_threads>, 1, encode_threads, stream, run.changes + 1,
                           args.count * tiles);
        }
    }
    return error;
}

int rle_encode(const RleEncodeRun& run, DeviceStream stream) noexcept {
    const RleEncode& args = run.args;
    if (args.count == 0) {
        return cudaMemsetAsync(run.offsets, 0, sizeof(std::int64_t), stream);
    }
    const std::int64_t tiles = encode_tiles(args);
    cudaError_t error = cudaMemsetAsync(run.first_bad, no_item_byte, sizeof(std::int64_t), stream);
    if (error == cudaSuccess) {
        error = launch(find_ends, blocks_for(args.count * tiles, encode_blocks), encode_threads,
                       stream, run, encode_words(args), tiles);
    }
    if (error == cudaSuccess) {
        const std::int64_t groups = (run.runs + encode_threads - 1) / encode_threads;
        error = launch(take_differences, blocks_for(groups, encode_blocks), encode_threads, stream,
                       run);
    }
    if (error == cudaSuccess) {
        error = name_fault(Overflow{}, args.count, run.first_bad, run.fault, stream);
    }
    return error;
}

}  // namespace refpix::cuda
