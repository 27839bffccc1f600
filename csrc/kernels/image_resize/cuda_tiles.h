// Resizing on a device, apart from where the results go: image_resize writes bytes, the fused
// kernel normalised numbers.
//
// A first launch makes the plan (cuda_plan.h). Then a block makes a tile of an output with both
// passes. It runs the first pass for a strip of what the tile needs, in shared memory and rounded
// to bytes as Pillow rounds it, adds the strip to the sums of the second pass, which each thread
// holds for its own outputs, and goes on to the next strip. So nothing lies in device memory
// between the passes, whatever the scale. Integers may be added in any order: the result is the
// CPU's.
//
// Where a window has more taps than are kept, as when a large picture is made very small, weights
// are made again at each use: slow, and right.
#pragma once

#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/image_resize/cuda_plan.h"
#include "kernels/image_resize/image_resize.h"

namespace refpix::cuda::tiles {

inline constexpr int warps = threads / 32;
inline constexpr int side = 32;  // of a tile; a thread makes four neighbouring pixels of a row
inline constexpr int quads = side / 4;
inline constexpr int strip_pitch = 516;  // of rows of columns: not a multiple of all banks
inline constexpr int strip_bytes = side * strip_pitch;
static_assert(side * quads == threads && side == 32);

// The lines of one side of a tile.
struct Side {
    const Exact* exact;        // of its first line
    int last;                  // of the tile's lines; those beyond repeat it, and are not written
    std::int32_t first, stop;  // input pixels that any of them has
    Reach reach[side];
    std::int32_t weights[kept_taps][side];
};

struct Tile {
    const std::uint8_t* pixels;
    std::int64_t row_bytes;  // of the source
    std::int64_t item, top, left;
    int rows, columns;  // of outputs
    bool down_first;
    ResizeFilter filter;
    Side down, across;
    std::uint32_t strip[strip_bytes / 4];

    __device__ std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(strip); }
};

__device__ inline int least(std::int64_t a, std::int64_t b) {
    return static_cast<int>(a < b ? a : b);
}

// The picture and the tile's place in it; one thread.
template <int channels>
__device__ void place_tile(const ImageResize& args, const Plan& plan, std::int64_t at, Tile& tile) {
    const std::int64_t tiles_across = (args.out_width + side - 1) / side;
    const std::int64_t tiles_down = (args.out_height + side - 1) / side;
    const std::int64_t line = at / tiles_across;
    tile.item = line / tiles_down;
    tile.top = line % tiles_down * side;
    tile.left = at % tiles_across * side;
    tile.rows = least(args.out_height - tile.top, side);
    tile.columns = least(args.out_width - tile.left, side);
    const std::int64_t height = args.sizes[2 * tile.item];
    const std::int64_t width = args.sizes[2 * tile.item + 1];
    tile.pixels = args.pixels + args.offsets[tile.item];
    tile.row_bytes = width * channels;
    tile.down_first = vertical_first(args.order, height, width, args.out_height, args.out_width);
    tile.filter = args.filter;
    tile.down.exact = plan.exact + tile.item * plan.lines + tile.top;
    tile.down.last = tile.rows - 1;
    tile.across.exact = plan.exact + tile.item * plan.lines + args.out_height + tile.left;
    tile.across.last = tile.columns - 1;
}

// From the plan, by all threads: a warp has a tap of all lines.
__device__ inline void load_side(const Plan& plan, std::int64_t before, std::int64_t lines,
                                 std::int64_t first, Side& side_of) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t line = first + (lane < side_of.last ? lane : side_of.last);
    const Reach reach = plan.reach[before + line];
    if (threadIdx.x < 32) {
        side_of.reach[lane] = reach;
    }
    const std::int32_t* weights = plan.weights + before * kept_taps + line;
    const int kept = reach.taps <= kept_taps ? reach.taps : 0;
    for (int tap = static_cast<int>(threadIdx.x) / 32; tap < kept; tap += warps) {
        side_of.weights[tap][lane] = weights[tap * lines];
    }
}

// Windows move on from line to line.
__device__ inline void bounds(Side& side_of) {
    const Reach& last = side_of.reach[side - 1];
    side_of.first = side_of.reach[0].first;
    side_of.stop = last.first + last.taps;
}

// All threads must come.
template <int channels>
__device__ void open_tile(const ImageResize& args, const Plan& plan, std::int64_t at, Tile& tile) {
    if (threadIdx.x == 0) {
        place_tile<channels>(args, plan, at, tile);
    }
    __syncthreads();
    const std::int64_t before = tile.item * plan.lines;
    load_side(plan, before, args.out_height, tile.top, tile.down);
    load_side(plan, before + args.out_height, args.out_width, tile.left, tile.across);
    __syncthreads();
    if (threadIdx.x == 0) {
        bounds(tile.down);
        bounds(tile.across);
    }
    __syncthreads();
}

// Calls use(tap, weight) for taps from..to-1 of a line.
template <typename Use>
__device__ void each_tap(const Side& side_of, ResizeFilter filter, int line, int from, int to,
                         const Use& use) {
    const Reach reach = side_of.reach[line];
    if (reach.taps <= kept_taps) {
#pragma unroll 2
        for (int tap = from; tap < to; ++tap) {
            use(tap, side_of.weights[tap][line]);
        }
        return;
    }
    const Exact& exact = side_of.exact[line < side_of.last ? line : side_of.last];
#pragma unroll 1
    for (int tap = from; tap < to; ++tap) {
        use(tap, weight_at(filter, exact, reach.first + tap));
    }
}

// Rows first..first+rows-1 of the source, all columns of the tile: strip[row][channel][column]. A
// warp has a row, a lane a column.
template <int channels>
__device__ void resize_across(Tile& tile, std::int32_t first, int rows) {
    const int column = static_cast<int>(threadIdx.x) % 32;
    const Reach reach = tile.across.reach[column];
    const std::uint8_t* source = tile.pixels + std::int64_t{reach.first} * channels;
    for (int row = static_cast<int>(threadIdx.x) / 32; row < rows; row += warps) {
        const std::uint8_t* at = source + (first + row) * tile.row_bytes;
        std::int32_t sums[channels];
        for (int c = 0; c < channels; ++c) {
            sums[c] = resize::rounding;
        }
        each_tap(tile.across, tile.filter, column, 0, reach.taps,
                 [&](int tap, std::int32_t weight) {
                     for (int c = 0; c < channels; ++c) {
                         sums[c] += weight * __ldg(at + tap * channels + c);
                     }
                 });
        for (int c = 0; c < channels; ++c) {
            tile.bytes()[(row * channels + c) * side + column] = resize::to_byte(sums[c]);
        }
    }
}

// Columns first..first+columns-1 of the source, all rows of the tile: strip[row][column][channel].
// A warp has a row, a lane every 32nd byte of it.
template <int channels>
__device__ void resize_down(Tile& tile, std::int32_t first, int columns) {
    constexpr int at_once = 4;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    for (int row = static_cast<int>(threadIdx.x) / 32; row < tile.rows; row += warps) {
        const Reach reach = tile.down.reach[row];
        const std::uint8_t* source =
            tile.pixels + reach.first * tile.row_bytes + std::int64_t{first} * channels;
        for (int begin = lane; begin < columns * channels; begin += 32 * at_once) {
            std::int32_t sums[at_once];
            for (int k = 0; k < at_once; ++k) {
                sums[k] = resize::rounding;
            }
            each_tap(tile.down, tile.filter, row, 0, reach.taps, [&](int tap, std::int32_t weight) {
                const std::uint8_t* at = source + tap * tile.row_bytes;
                for (int k = 0; k < at_once; ++k) {
                    const int i = begin + 32 * k;
                    if (i < columns * channels) {
                        sums[k] += weight * __ldg(at + i);
                    }
                }
            });
            for (int k = 0; k < at_once; ++k) {
                const int i = begin + 32 * k;
                if (i < columns * channels) {
                    tile.bytes()[row * strip_pitch + i] = resize::to_byte(sums[k]);
                }
            }
        }
    }
}

// A thread's four pixels: quad `quad` of a row of the tile.
template <int channels>
struct Sums {
    std::int32_t of[channels][4];
    int row, quad;

    __device__ Sums()
        : row(static_cast<int>(threadIdx.x) / quads), quad(static_cast<int>(threadIdx.x) % quads) {
        for (int c = 0; c < channels; ++c) {
            for (int k = 0; k < 4; ++k) {
                of[c][k] = resize::rounding;
            }
        }
    }
};

// What of a line's window lies in a strip that begins at `first` and ends before `stop`.
struct Part {
    int from, to;

    __device__ Part(const Reach& reach, std::int32_t first, std::int32_t stop)
        : from(reach.first > first ? 0 : first - reach.first),
          to(reach.first + reach.taps < stop ? reach.taps : stop - reach.first) {}
};

template <int channels>
__device__ void sum_rows(Tile& tile, Sums<channels>& sums) {
    constexpr int line_words = channels * quads;
    constexpr int most = strip_bytes / (channels * side);
    const Reach reach = tile.down.reach[sums.row];
    for (std::int32_t first = tile.down.first; first < tile.down.stop; first += most) {
        const std::int32_t stop = least(first + most, tile.down.stop);
        resize_across<channels>(tile, first, stop - first);
        __syncthreads();
        const Part part(reach, first, sums.row < tile.rows ? stop : first);
        const int begin = (reach.first - first) * line_words + sums.quad;  // of tap 0, if here
        each_tap(
            tile.down, tile.filter, sums.row, part.from, part.to,
            [&](int tap, std::int32_t weight) {
                for (int c = 0; c < channels; ++c) {
                    const std::uint32_t word = tile.strip[begin + tap * line_words + c * quads];
                    for (int k = 0; k < 4; ++k) {
                        sums.of[c][k] += weight * static_cast<std::int32_t>(word >> (8 * k) & 255u);
                    }
                }
            });
        __syncthreads();
    }
}

template <int channels>
__device__ void sum_columns(Tile& tile, Sums<channels>& sums) {
    constexpr int most = strip_pitch / channels;
    for (std::int32_t first = tile.across.first; first < tile.across.stop; first += most) {
        const std::int32_t stop = least(first + most, tile.across.stop);
        resize_down<channels>(tile, first, stop - first);
        __syncthreads();
#pragma unroll  // else the sums leave the registers
        for (int k = 0; k < 4; ++k) {
            const int column = 4 * sums.quad + k;
            const Reach reach = tile.across.reach[column];
            const Part part(reach, first, sums.row < tile.rows ? stop : first);
            const int begin = sums.row * strip_pitch + (reach.first - first) * channels;
            each_tap(tile.across, tile.filter, column, part.from, part.to,
                     [&](int tap, std::int32_t weight) {
                         for (int c = 0; c < channels; ++c) {
                             sums.of[c][k] += weight * tile.bytes()[begin + tap * channels + c];
                         }
                     });
        }
        __syncthreads();
    }
}

// The finished tile as bytes, strip[row][channel][column] or strip[row][column][channel]. The strip
// is nobody's any more.
template <int channels, bool planes>
__device__ void keep_bytes(const Sums<channels>& sums, std::uint32_t* strip) {
    std::uint32_t words[channels] = {};
#pragma unroll
    for (int i = 0; i < 4 * channels; ++i) {
        const std::int32_t sum =
            planes ? sums.of[i / 4][i % 4] : sums.of[i % channels][i / channels];
        words[i / 4] |= std::uint32_t{resize::to_byte(sum)} << (8 * (i % 4));
    }
#pragma unroll
    for (int word = 0; word < channels; ++word) {
        const int place = planes ? word * quads + sums.quad : sums.quad * channels + word;
        strip[sums.row * channels * quads + place] = words[word];
    }
}

// An Output takes four neighbouring values at a time, or less at an edge:
//     static constexpr bool planes;      // else channels are last
//     struct Shared;                     // what it keeps in a block's shared memory
//     void open(Shared&) const;          // all threads, which meet before a store
//     void store(const Shared&, std::int64_t element, int channel, std::uint32_t bytes,
//                int count) const;       // `channel` of the first of them
template <int channels, typename Output>
__device__ void write_tile(const ImageResize& args, const Tile& tile, const Output& output,
                           const typename Output::Shared& shared) {
    constexpr int line = channels * quads;
    const std::int64_t height = args.out_height;
    const std::int64_t width = args.out_width;
    const std::int64_t row_values = Output::planes ? width : width * channels;
    const std::int64_t first =
        Output::planes ? (tile.item * channels * height + tile.top) * width + tile.left
                       : ((tile.item * height + tile.top) * width + tile.left) * channels;
    for (int i = static_cast<int>(threadIdx.x); i < side * line; i += threads) {
        const int row = i / line;
        const int plane = Output::planes ? i % line / quads : 0;
        const int at = Output::planes ? 4 * (i % quads) : 4 * (i % line);
        const int left = (Output::planes ? tile.columns : tile.columns * channels) - at;
        if (row < tile.rows && left > 0) {
            output.store(shared, first + (plane * height + row) * row_values + at,
                         Output::planes ? plane : at % channels, tile.strip[i],
                         left < 4 ? left : 4);
        }
    }
}

template <int channels, typename Output>
__global__ void __launch_bounds__(threads, blocks)
    resize_tiles(const __grid_constant__ ImageResizeRun run, const __grid_constant__ Plan plan,
                 const __grid_constant__ Output output) {
    __shared__ Tile tile;
    __shared__ typename Output::Shared shared;
    const ImageResize& args = run.args;
    if (*run.first_bad < args.count) {
        return;  // as the CPU: nothing is resized when an item is at fault
    }
    output.open(shared);
    const std::int64_t tiles =
        args.count * ((args.out_height + side - 1) / side) * ((args.out_width + side - 1) / side);
    for (std::int64_t at = blockIdx.x; at < tiles; at += gridDim.x) {
        __syncthreads();  // nobody reads the last tile any more
        open_tile<channels>(args, plan, at, tile);
        Sums<channels> sums;
        if (tile.down_first) {
            sum_columns<channels>(tile, sums);
        } else {
            sum_rows<channels>(tile, sums);
        }
        keep_bytes<channels, Output::planes>(sums, tile.strip);
        __syncthreads();
        write_tile<channels>(args, tile, output, shared);
    }
}

struct Check {
    ImageResize args;

    __device__ Status operator()(std::int64_t item) const { return resize::check_item(args, item); }
};

// Only launches. A cudaError_t.
template <int channels, typename Output>
int resize_into(const ImageResizeRun& run, const Output& output, DeviceStream stream) noexcept {
    const ImageResize& args = run.args;
    const Plan plan = plan_of(run);
    return run_checked(Check{args}, args.count, run.first_bad, run.fault, stream, [&] {
        const std::int64_t groups = (args.count * plan.lines + threads - 1) / threads;
        const cudaError_t error =
            launch(plan_lines, blocks_for(groups, blocks), threads, stream, run, plan);
        const std::int64_t tiles = args.count * ((args.out_height + side - 1) / side) *
                                   ((args.out_width + side - 1) / side);
        return error != cudaSuccess
                   ? error
                   : launch(resize_tiles<channels, Output>, blocks_for(tiles, blocks), threads,
                            stream, run, plan, output);
    });
}

}  // namespace refpix::cuda::tiles
