// Both passes at once: a block makes a tile of an output. It runs the first pass for a strip of
// what the tile needs, in shared memory and rounded to bytes as Pillow rounds it, adds the strip to
// the sums of the second pass, which each thread holds for its own outputs, and goes on to the next
// strip. So nothing lies in device memory between the passes, whatever the scale. Integers may be
// added in any order: the result is the CPU's.
//
// Weights are made once per tile, in double. Where a window has more taps than are kept, as when a
// large picture is made very small, they are made again at each use: slow, and right.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/image_resize/image_resize.h"
#include "kernels/image_resize/window.h"

namespace refpix::cuda {
namespace {

constexpr int resize_threads = 256;
constexpr int resize_blocks = 6;  // per multiprocessor
constexpr int tile_height = 16;
constexpr int tile_width = 32;
constexpr int most_channels = 3;
constexpr int sums_each = tile_height * tile_width * most_channels / resize_threads;
constexpr int kept_taps = 24;          // bicubic down to a fifth
constexpr int strip_bytes = 16 << 10;  // of one pass

// The windows of one side of a tile.
template <int Lines>
struct Side {
    resize::Axis axis;
    std::int64_t first;  // input pixels that any of them has
    std::int64_t stop;
    ResizeFilter filter;
    bool copy;  // nothing changes along this axis
    resize::Window windows[Lines];
    double sums[Lines];
    std::int32_t weights[Lines][kept_taps];
};

struct Tile {
    const std::uint8_t* pixels;
    std::int64_t width;  // of the source
    int rows, columns;   // of outputs
    bool down_first;
    Side<tile_height> down;
    Side<tile_width> across;
};

__device__ double filter_weight(ResizeFilter filter, double distance) {
    return filter == ResizeFilter::bicubic    ? resize::bicubic(distance)
           : filter == ResizeFilter::bilinear ? resize::bilinear(distance)
                                              : resize::box(distance);
}

// Of an input pixel in a line's window.
template <int Lines>
__device__ std::int32_t weight(const Side<Lines>& side, int line, std::int64_t pixel) {
    if (side.copy) {
        return 1 << resize::weight_bits;
    }
    const resize::Window& window = side.windows[line];
    const std::int64_t tap = pixel - window.first;
    if (window.stop - window.first <= kept_taps) {
        return side.weights[line][tap];
    }
    return resize::fixed_point(filter_weight(side.filter, window.distance(side.axis, pixel)),
                               side.sums[line]);
}

// One thread per line.
template <int Lines>
__device__ void prepare(Side<Lines>& side, int line, std::int64_t output) {
    resize::Window& window = side.windows[line];
    if (side.copy) {
        window = {0.0, output, output + 1};
        return;
    }
    window = resize::window_of(side.axis, output);
    double sum = 0.0;
    for (std::int64_t x = window.first; x < window.stop; ++x) {
        sum += filter_weight(side.filter, window.distance(side.axis, x));
    }
    side.sums[line] = sum;
    if (window.stop - window.first <= kept_taps) {
        for (std::int64_t x = window.first; x < window.stop; ++x) {
            side.weights[line][x - window.first] =
                resize::fixed_point(filter_weight(side.filter, window.distance(side.axis, x)), sum);
        }
    }
}

// Windows move on from line to line.
template <int Lines>
__device__ void bounds(Side<Lines>& side, int lines) {
    side.first = side.windows[0].first;
    side.stop = side.windows[lines - 1].stop;
}

// The picture and the tile's place in it, then its windows. All threads must come.
__device__ void open_tile(const ImageResize& args, std::int64_t item, std::int64_t top,
                          std::int64_t left, Tile& tile) {
    const int thread = static_cast<int>(threadIdx.x);
    if (thread == 0) {
        const std::int64_t height = args.sizes[2 * item];
        tile.pixels = args.pixels + args.offsets[item];
        tile.width = args.sizes[2 * item + 1];
        tile.rows = static_cast<int>(args.out_height - top < tile_height ? args.out_height - top
                                                                         : tile_height);
        tile.columns = static_cast<int>(args.out_width - left < tile_width ? args.out_width - left
                                                                           : tile_width);
        tile.down_first =
            vertical_first(args.order, height, tile.width, args.out_height, args.out_width);
        tile.down.axis = resize::axis_of(height, args.out_height, args.filter);
        tile.down.filter = args.filter;
        tile.down.copy = height == args.out_height;
        tile.across.axis = resize::axis_of(tile.width, args.out_width, args.filter);
        tile.across.filter = args.filter;
        tile.across.copy = tile.width == args.out_width;
    }
    __syncthreads();
    if (thread < tile.rows) {
        prepare(tile.down, thread, top + thread);
    } else if (thread >= tile_height && thread < tile_height + tile.columns) {
        prepare(tile.across, thread - tile_height, left + thread - tile_height);
    }
    __syncthreads();
    if (thread == 0) {
        bounds(tile.down, tile.rows);
        bounds(tile.across, tile.columns);
    }
    __syncthreads();
}

// Rows first..stop-1 of the source, all columns of the tile: strip[row][column][channel].
__device__ void resize_across(const Tile& tile, int channels, std::int64_t first, std::int64_t stop,
                              std::uint8_t* strip) {
    const int line = tile.columns * channels;
    const auto count = static_cast<int>(stop - first) * line;
    for (int i = static_cast<int>(threadIdx.x); i < count; i += resize_threads) {
        const int column = i % line / channels;
        const resize::Window& window = tile.across.windows[column];
        const std::uint8_t* source =
            tile.pixels + (first + i / line) * tile.width * channels + i % channels;
        std::int32_t sum = resize::rounding;
        for (std::int64_t x = window.first; x < window.stop; ++x) {
            sum += weight(tile.across, column, x) * source[x * channels];
        }
        strip[i] = resize::to_byte(sum);
    }
}

// Columns first..stop-1 of the source, all rows of the tile: strip[row][column][channel].
__device__ void resize_down(const Tile& tile, int channels, std::int64_t first, std::int64_t stop,
                            std::uint8_t* strip) {
    const int line = static_cast<int>(stop - first) * channels;
    for (int i = static_cast<int>(threadIdx.x); i < tile.rows * line; i += resize_threads) {
        const int row = i / line;
        const resize::Window& window = tile.down.windows[row];
        const std::uint8_t* source = tile.pixels + first * channels + i % line;
        std::int32_t sum = resize::rounding;
        for (std::int64_t y = window.first; y < window.stop; ++y) {
            sum += weight(tile.down, row, y) * source[y * tile.width * channels];
        }
        strip[i] = resize::to_byte(sum);
    }
}

// What a strip of first..stop-1 along an axis adds to one output: `values` are its bytes along that
// axis, `stride` apart.
template <int Lines>
__device__ std::int32_t strip_sum(const Side<Lines>& side, int line, std::int64_t first,
                                  std::int64_t stop, const std::uint8_t* values, int stride) {
    const resize::Window& window = side.windows[line];
    const std::int64_t from = window.first > first ? window.first : first;
    const std::int64_t to = window.stop < stop ? window.stop : stop;
    std::int32_t sum = 0;
    for (std::int64_t at = from; at < to; ++at) {
        sum += weight(side, line, at) * values[(at - first) * stride];
    }
    return sum;
}

__device__ void sum_rows(const Tile& tile, int channels, std::uint8_t* strip, std::int32_t* sums) {
    const int line = tile.columns * channels;
    const std::int64_t most = strip_bytes / line;
    for (std::int64_t first = tile.down.first; first < tile.down.stop; first += most) {
        const std::int64_t stop = first + most < tile.down.stop ? first + most : tile.down.stop;
        resize_across(tile, channels, first, stop, strip);
        __syncthreads();
#pragma unroll  // else the sums leave the registers
        for (int k = 0; k < sums_each; ++k) {
            const int i = static_cast<int>(threadIdx.x) + k * resize_threads;
            if (i < tile.rows * line) {
                sums[k] += strip_sum(tile.down, i / line, first, stop, strip + i % line, line);
            }
        }
        __syncthreads();
    }
}

__device__ void sum_columns(const Tile& tile, int channels, std::uint8_t* strip,
                            std::int32_t* sums) {
    const int line = tile.columns * channels;
    const std::int64_t most = strip_bytes / (tile.rows * channels);
    for (std::int64_t first = tile.across.first; first < tile.across.stop; first += most) {
        const std::int64_t stop = first + most < tile.across.stop ? first + most : tile.across.stop;
        resize_down(tile, channels, first, stop, strip);
        __syncthreads();
        const int wide = static_cast<int>(stop - first) * channels;
#pragma unroll  // else the sums leave the registers
        for (int k = 0; k < sums_each; ++k) {
            const int i = static_cast<int>(threadIdx.x) + k * resize_threads;
            if (i < tile.rows * line) {
                sums[k] += strip_sum(tile.across, i % line / channels, first, stop,
                                     strip + i / line * wide + i % channels, channels);
            }
        }
        __syncthreads();
    }
}

__global__ void resize_tiles(const __grid_constant__ ImageResizeRun run) {
    __shared__ Tile tile;
    __shared__ std::uint8_t strip[strip_bytes];
    const ImageResize& args = run.args;
    if (*run.first_bad < args.count) {
        return;  // as the CPU: nothing is resized when an item is at fault
    }
    const std::int64_t tiles_across = (args.out_width + tile_width - 1) / tile_width;
    const std::int64_t tiles_down = (args.out_height + tile_height - 1) / tile_height;
    const std::int64_t tiles = args.count * tiles_down * tiles_across;
    for (std::int64_t at = blockIdx.x; at < tiles; at += gridDim.x) {
        const std::int64_t item = at / (tiles_down * tiles_across);
        const std::int64_t top = at / tiles_across % tiles_down * tile_height;
        const std::int64_t left = at % tiles_across * tile_width;
        __syncthreads();  // nobody reads the last tile any more
        open_tile(args, item, top, left, tile);
        std::int32_t sums[sums_each];
#pragma unroll
        for (int k = 0; k < sums_each; ++k) {
            sums[k] = resize::rounding;
        }
        if (tile.down_first) {
            sum_columns(tile, args.channels, strip, sums);
        } else {
            sum_rows(tile, args.channels, strip, sums);
        }
        const int line = tile.columns * args.channels;
#pragma unroll  // else the sums leave the registers
        for (int k = 0; k < sums_each; ++k) {
            const int i = static_cast<int>(threadIdx.x) + k * resize_threads;
            if (i < tile.rows * line) {
                const std::int64_t row = item * args.out_height + top + i / line;
                args.out[(row * args.out_width + left) * args.channels + i % line] =
                    resize::to_byte(sums[k]);
            }
        }
    }
}

struct Check {
    ImageResize args;

    __device__ Status operator()(std::int64_t item) const { return resize::check_item(args, item); }
};

}  // namespace

int image_resize(const ImageResizeRun& run, DeviceStream stream) noexcept {
    const ImageResize& args = run.args;
    if (args.count == 0) {
        return 0;
    }
    const Check check{args};
    cudaError_t error = find_bad(check, args.count, run.first_bad, stream);
    if (error == cudaSuccess) {
        const std::int64_t tiles = args.count *
                                   ((args.out_height + tile_height - 1) / tile_height) *
                                   ((args.out_width + tile_width - 1) / tile_width);
        error = launch(resize_tiles, blocks_for(tiles, resize_blocks), resize_threads, stream, run);
    }
    if (error == cudaSuccess) {
        error = name_fault(check, args.count, run.first_bad, run.fault, stream);
    }
    return error;
}

}  // namespace refpix::cuda
