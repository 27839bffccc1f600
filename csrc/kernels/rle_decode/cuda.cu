// Bound by storing the pixels, once and in whole 16 bytes. A first launch checks the runs, a block
// per mask, and leaves where each of them ends. Then a block takes a tile of a mask, makes its
// pixels as bits in shared memory, and expands those:
//
// rows: a tile has whole rows (of very wide masks 4096 columns). A thread bisects for the run at
// the top of its column, and marks the changes below; then each row of bits is the row above,
// exclusive-or its marks.
// columns: a mask is one long line; a thread bisects for the run at the start of 32 pixels.
//
// Where a mask has few runs, their ends lie in shared memory as well.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_rle.h"
#include "kernels/rle_decode/rle_decode.h"

namespace refpix::cuda {
namespace {

constexpr int decode_threads = 256;
constexpr int decode_blocks = 5;  // per multiprocessor, what registers allow
constexpr int tile_words = 2048;  // 65,536 pixels
constexpr int most_columns = 4096;
constexpr int kept_runs = 1024;
constexpr int together = 4;  // bisections of one thread
constexpr int most_groups = 32;
constexpr unsigned all_lanes = 0xffffffffu;
enum Slot { bad_offsets, bad_sizes, bad_sums, slots };

// How a mask is cut into tiles. In columns first, it is a mask of one row.
struct Tiling {
    std::int64_t width;
    std::int64_t bands;   // tiles down
    std::int64_t pieces;  // tiles across
    int rows, columns;    // of a tile, at most
};

__device__ Tiling tiling_of(std::int64_t height, std::int64_t width, bool fortran) {
    Tiling tiling{width, 0, 0, 1, 1};
    if (fortran) {
        tiling.width = height * width;
        height = 1;
    }
    if (height == 0 || tiling.width == 0) {
        return tiling;
    }
    const int most = fortran ? tile_words * 32 : most_columns;
    tiling.columns = static_cast<int>(tiling.width < most ? tiling.width : most);
    const int most_rows = tile_words / ((tiling.columns + 31) / 32);
    tiling.pieces = (tiling.width + tiling.columns - 1) / tiling.columns;
    tiling.bands = (height + most_rows - 1) / most_rows;
    tiling.rows = static_cast<int>((height + tiling.bands - 1) / tiling.bands);
    return tiling;
}

__device__ RunSums run_sums(const RleDecodeRun& run) {
    return {run.args.masks, run.ends, nullptr, run.first_bad, run.first_bad + bad_sums};
}

// The first block sums up sizes, the others runs.
__global__ void measure(const __grid_constant__ RleDecodeRun run) {
    __shared__ std::uint64_t sums[run_threads / 32];
    const Rles& masks = run.args.masks;
    if (blockIdx.x > 0) {
        sum_runs(run_sums(run), blockIdx.x - 1, gridDim.x - 1, sums);
        return;
    }
    // Sizes that are at fault count for nothing.
    const auto pixels = [&](std::int64_t item) {
        const std::int64_t height = masks.sizes[2 * item];
        const std::int64_t width = masks.sizes[2 * item + 1];
        const bool sized = rle::size_ok(height, width);
        const Tiling tiling = tiling_of(sized ? height : 0, sized ? width : 0, run.args.fortran);
        run.tiles[item + 1] = tiling.bands * tiling.pieces;
        return static_cast<std::uint64_t>(sized ? height * width : 0);
    };
    const auto tiles = [&](std::int64_t item) {
        return static_cast<std::uint64_t>(run.tiles[item + 1]);
    };
    sum_range<run_threads, 4>(0, masks.count, run.offsets + 1, sums, pixels);
    sum_range<run_threads, 4>(0, masks.count, run.tiles + 1, sums, tiles);
    if (threadIdx.x == 0) {
        run.offsets[0] = 0;
        run.tiles[0] = 0;
    }
}

__global__ void find_total(const __grid_constant__ RleDecodeRun run) {
    *run.total = any_bad(run.first_bad, slots) ? 0 : run.offsets[run.args.masks.count];
}

struct Tile {
    std::int64_t item;
    std::int64_t first, stop;  // numbers of the item's tiles
    std::int64_t runs;
    const std::int64_t* ends;
    Tiling tiling;
    std::int64_t height;
    std::uint8_t* mask;  // the item's pixels
    std::int64_t row, column;
    int rows, columns;
    int words;  // of a row
};

// Of the tile with a number that is below the sum of all. All threads must come.
__device__ std::int64_t item_of(const std::int64_t* tiles, std::int64_t count, std::int64_t number,
                                std::int64_t (&range)[2]) {
    const auto thread = static_cast<std::int64_t>(threadIdx.x);
    if (thread == 0) {
        range[0] = 0;
        range[1] = count;
    }
    __syncthreads();
    for (;;) {
        // tiles[range[0]] <= number < tiles[range[1]]
        const std::int64_t first = range[0];
        const std::int64_t span = range[1] - first;
        __syncthreads();
        if (span <= 1) {
            return first;
        }
        const std::int64_t low = first + span * thread / decode_threads;
        const std::int64_t high = first + span * (thread + 1) / decode_threads;
        if (low < high && tiles[low] <= number && tiles[high] > number) {
            range[0] = low;
            range[1] = high;
        }
        __syncthreads();
    }
}

// One thread.
__device__ void open_item(const RleDecodeRun& run, std::int64_t item, const std::int64_t* kept,
                          Tile& tile) {
    const RleDecode& args = run.args;
    tile.item = item;
    tile.first = run.tiles[item];
    tile.stop = run.tiles[item + 1];
    tile.runs = args.masks.offsets[item + 1] - args.masks.offsets[item];
    tile.ends = tile.runs <= kept_runs ? kept : run.ends + args.masks.offsets[item];
    tile.height = args.masks.sizes[2 * item];
    tile.tiling = tiling_of(tile.height, args.masks.sizes[2 * item + 1], args.fortran);
    tile.height = args.fortran ? 1 : tile.height;
    tile.mask = args.out + run.offsets[item];
}

// One thread.
__device__ void open_tile(std::int64_t number, Tile& tile) {
    const Tiling& tiling = tile.tiling;
    const std::int64_t at = number - tile.first;
    const std::int64_t band = tiling.pieces == 1 ? at : at / tiling.pieces;
    tile.row = band * tiling.rows;
    tile.column = (at - band * tiling.pieces) * tiling.columns;
    const std::int64_t rows = tile.height - tile.row;
    const std::int64_t columns = tiling.width - tile.column;
    tile.rows = static_cast<int>(rows < tiling.rows ? rows : tiling.rows);
    tile.columns = static_cast<int>(columns < tiling.columns ? columns : tiling.columns);
    tile.words = (tile.columns + 31) / 32;
}

// ---- Bits of rows: bit c % 32 of bits[row * words + c / 32]

// Changes; in the first row, pixels.
__device__ void mark_changes(const Tile& tile, std::uint32_t* bits) {
    const int thread = static_cast<int>(threadIdx.x);
    for (int word = tile.words + thread; word < tile.rows * tile.words; word += decode_threads) {
        bits[word] = 0;
    }
    __syncthreads();
    for (int from = 0; from < tile.columns; from += together * decode_threads) {
        std::int64_t tops[together];  // first pixels of columns, in the order of the runs
        std::int64_t runs[together];
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int column = from + i * decode_threads + thread;
            const std::int64_t x = tile.column + (column < tile.columns ? column : 0);
            tops[i] = x * tile.height + tile.row;
        }
        rle::find_runs(tile.ends, tile.runs, tops, runs);
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int column = from + i * decode_threads + thread;
            const bool inside = column < tile.columns;
            const unsigned top = __ballot_sync(all_lanes, inside && runs[i] % 2 != 0);
            if (!inside) {
                continue;
            }
            if (column % 32 == 0) {
                bits[column / 32] = top;
            }
            // The last run ends with the mask, so that the loop ends within the runs.
            std::int64_t run = runs[i];
            for (std::int64_t row = tile.ends[run] - tops[i]; row < tile.rows;
                 row = tile.ends[++run] - tops[i]) {
                atomicXor(bits + row * tile.words + column / 32, 1u << column % 32);
            }
        }
    }
}

// Changes become pixels: words of one column of words, in groups of rows.
__device__ void sum_changes(const Tile& tile, std::uint32_t* bits, std::uint32_t* changes) {
    const int thread = static_cast<int>(threadIdx.x);
    const int most = decode_threads / tile.words;
    const int groups = most < most_groups ? most : most_groups;
    const int each = (tile.rows + groups - 1) / groups;
    const int word = thread % tile.words;
    const int group = thread / tile.words;
    const int first = group * each;
    const int stop = first + each < tile.rows ? first + each : tile.rows;
    std::uint32_t all = 0;
    if (group < groups) {
        for (int row = first; row < stop; ++row) {
            all ^= bits[row * tile.words + word];
        }
        changes[thread] = all;
    }
    __syncthreads();
    if (group < groups) {
        std::uint32_t pixels = 0;
        for (int before = 0; before < group; ++before) {
            pixels ^= changes[before * tile.words + word];
        }
        for (int row = first; row < stop; ++row) {
            pixels ^= bits[row * tile.words + word];
            bits[row * tile.words + word] = pixels;
        }
    }
}

// ---- Bits of columns: a line

__device__ void fill_line(const Tile& tile, std::uint32_t* bits) {
    const int thread = static_cast<int>(threadIdx.x);
    for (int from = thread; from < tile.words; from += together * decode_threads) {
        std::int64_t starts[together];
        std::int64_t runs[together];
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int word = from + i * decode_threads;
            starts[i] = tile.column + 32 * (word < tile.words ? word : from);
        }
        rle::find_runs(tile.ends, tile.runs, starts, runs);
#pragma unroll
        for (int i = 0; i < together; ++i) {
            const int word = from + i * decode_threads;
            if (word >= tile.words) {
                break;
            }
            const int left = tile.columns - 32 * word;
            const int pixels = left < 32 ? left : 32;
            // Everything from a change on is turned over.
            std::int64_t run = runs[i];
            std::uint32_t line = run % 2 != 0 ? ~0u : 0u;
            for (std::int64_t at = tile.ends[run] - starts[i]; at < pixels;
                 at = tile.ends[++run] - starts[i]) {
                line ^= ~0u << at;
            }
            bits[word] = line;
        }
    }
}

// ---- Bits to bytes

struct alignas(16) Pixels {
    std::uint32_t four[4];
};

__device__ std::uint32_t expand(std::uint32_t bits) {
    return (bits & 0xf) * 0x00204081u & 0x01010101u;
}

__device__ std::uint8_t pixel(const Tile& tile, const std::uint32_t* bits, int row, int column) {
    return bits[row * tile.words + column / 32] >> column % 32 & 1;
}

// Sixteen pixels from (row, column) on, which may lie in several rows, but all in the tile. Whole
// words are read, also behind the last row: what does not belong to the pixels is thrown away.
__device__ Pixels sixteen(const Tile& tile, const std::uint32_t* bits, int row, int column) {
    const std::uint32_t* const word = bits + row * tile.words + column / 32;
    std::uint32_t line = __funnelshift_r(word[0], word[1], static_cast<unsigned>(column % 32));
    int have = tile.columns - column;
    if (have < 16) {
        line &= (1u << have) - 1;
    }
    for (; have < 16; have += tile.columns) {
        line |= bits[++row * tile.words] << have;  // no bits are set behind the row's end
    }
    return {{expand(line), expand(line >> 4), expand(line >> 8), expand(line >> 12)}};
}

// `length` pixels from the start of a row on, to where they belong.
__device__ void store(const Tile& tile, const std::uint32_t* bits, int row, int length,
                      std::uint8_t* to) {
    const int thread = static_cast<int>(threadIdx.x);
    const int past = static_cast<int>(reinterpret_cast<std::uintptr_t>(to) % 16);
    const int space = (16 - past) % 16;
    const int head = space < length ? space : length;
    const int body = (length - head) / 16 * 16;
    const int tail = length - head - body;
    if (thread < head) {
        to[thread] = pixel(tile, bits, row + thread / tile.columns, thread % tile.columns);
    }
    if (thread < tail) {
        const int at = head + body + thread;
        to[at] = pixel(tile, bits, row + at / tile.columns, at % tile.columns);
    }
    constexpr int step = 16 * decode_threads;
    const int rows = step / tile.columns;
    const int columns = step % tile.columns;
    const int start = head + 16 * thread;
    int column = start % tile.columns;
    row += start / tile.columns;
    for (int at = start; at < head + body; at += step) {
        *reinterpret_cast<Pixels*>(to + at) = sixteen(tile, bits, row, column);
        row += rows;
        column += columns;
        if (column >= tile.columns) {
            column -= tile.columns;
            ++row;
        }
    }
}

__device__ void store_tile(const Tile& tile, const std::uint32_t* bits) {
    std::uint8_t* const to = tile.mask + tile.row * tile.tiling.width + tile.column;
    if (tile.columns == tile.tiling.width) {
        store(tile, bits, 0, tile.rows * tile.columns, to);
        return;
    }
    for (int row = 0; row < tile.rows; ++row) {
        store(tile, bits, row, tile.columns, to + row * tile.tiling.width);
    }
}

// What is at fault, in the order in which the CPU looks. One thread.
__device__ void name_fault(const RleDecodeRun& run) {
    const std::int64_t* bad = run.first_bad;
    if (is_bad(bad[bad_offsets])) {
        tell(run.fault, Fault::rle_bad_offsets, bad[bad_offsets]);
    } else if (is_bad(bad[bad_sizes])) {
        tell(run.fault, Fault::rle_bad_size, bad[bad_sizes]);
    } else if (is_bad(bad[bad_sums])) {
        tell(run.fault, sum_fault(run_sums(run), bad[bad_sums]), bad[bad_sums]);
    } else {
        tell(run.fault, Fault::output_wrong_size, -1);
    }
}

__global__ void __launch_bounds__(decode_threads)
    decode_tiles(const __grid_constant__ RleDecodeRun run) {
    __shared__ std::uint32_t bits[tile_words + 1];
    __shared__ std::uint32_t changes[decode_threads];
    __shared__ std::int64_t kept[kept_runs];
    __shared__ std::int64_t range[2];
    __shared__ Tile tile;
    const std::int64_t count = run.args.masks.count;
    const int thread = static_cast<int>(threadIdx.x);
    if (any_bad(run.first_bad, slots) || run.offsets[count] != run.capacity) {
        if (blockIdx.x == 0 && thread == 0) {
            name_fault(run);
        }
        return;
    }
    // Neighbouring tiles, which are mostly of one mask.
    const std::int64_t tiles = run.tiles[count];
    const std::int64_t first = tiles * blockIdx.x / gridDim.x;
    const std::int64_t stop = tiles * (blockIdx.x + std::int64_t{1}) / gridDim.x;
    std::int64_t item_stop = first;
    for (std::int64_t number = first; number < stop; ++number) {
        __syncthreads();  // nobody reads the last tile any more
        const bool next_item = number >= item_stop;
        if (next_item) {
            const std::int64_t item = item_of(run.tiles, count, number, range);
            if (thread == 0) {
                open_item(run, item, kept, tile);
            }
        }
        if (thread == 0) {
            open_tile(number, tile);
        }
        __syncthreads();
        item_stop = tile.stop;
        if (next_item && tile.ends == kept) {
            const std::int64_t* ends = run.ends + run.args.masks.offsets[tile.item];
            for (int i = thread; i < tile.runs; i += decode_threads) {
                kept[i] = ends[i];
            }
            __syncthreads();
        }
        if (run.args.fortran) {
            fill_line(tile, bits);
        } else {
            mark_changes(tile, bits);
            __syncthreads();
            sum_changes(tile, bits, changes);
        }
        __syncthreads();
        store_tile(tile, bits);
    }
}

}  // namespace

int rle_decode_measure(const RleDecodeRun& run, DeviceStream stream) noexcept {
    cudaError_t error =
        cudaMemsetAsync(run.first_bad, no_item_byte, slots * sizeof(std::int64_t), stream);
    if (error == cudaSuccess) {
        const unsigned blocks = 1 + blocks_for(run.args.masks.count + 1, 16);
        error = launch(measure, blocks, run_threads, stream, run);
    }
    if (error == cudaSuccess && run.total != nullptr) {
        error = launch(find_total, 1, 1, stream, run);
    }
    return error;
}

int rle_decode(const RleDecodeRun& run, DeviceStream stream) noexcept {
    // At least so many pixels are in most tiles; how many tiles there are only the device knows.
    const std::int64_t tiles = 1 + run.args.masks.count + run.capacity / (8 * tile_words);
    return launch(decode_tiles, blocks_for(tiles, decode_blocks), decode_threads, stream, run);
}

}  // namespace refpix::cuda
