// Maps whose pixels each show one source pixel, or nothing: a block makes a tile, for which it
// works out the sources of rows and columns once, in shared memory.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_quads.h"

namespace refpix::cuda::nearest_tiles {

inline constexpr int threads = 256;
inline constexpr int blocks = 5;  // per multiprocessor, as many as fit
inline constexpr int rows = 32;
inline constexpr int columns = 128;  // four to each thread of a warp
static_assert(rows + columns <= threads && columns == 4 * 32);

struct Place {
    std::int64_t item, top, left;
    int rows, columns;
};

__device__ inline int least(std::int64_t a, std::int64_t b) {
    return static_cast<int>(a < b ? a : b);
}

inline REFPIX_HD std::int64_t tiles_of(std::int64_t count, std::int64_t height,
                                       std::int64_t width) {
    return count * ((height + rows - 1) / rows) * ((width + columns - 1) / columns);
}

__device__ inline Place place_of(std::int64_t at, std::int64_t height, std::int64_t width) {
    const std::int64_t across = (width + columns - 1) / columns;
    const std::int64_t down = (height + rows - 1) / rows;
    const std::int64_t line = at / across;
    Place place;
    place.item = line / down;
    place.top = line % down * rows;
    place.left = at % across * columns;
    place.rows = least(height - place.top, rows);
    place.columns = least(width - place.left, columns);
    return place;
}

// Maps are an object that a kernel can be given, with
//     using Value;                                      // of a pixel
//     Value* out; std::int64_t count, height, width;    // (count, height, width)
//     bool stopped() const;                             // nothing is to be done
//     Geometry geometry(item) const;                    // of one item, made by each thread
//     std::int64_t row(geometry, y) const;              // where its source row begins, -1: zeros
//     std::int32_t column(geometry, x) const;           // the source's place in a row, -1: zero
//     Value value(std::int64_t from, std::int64_t to) const;  // of the source; `to` in `out`
template <typename Maps>
__global__ void fill_tiles(const __grid_constant__ Maps maps) {
    __shared__ Place shared_place;
    __shared__ std::int64_t row_sources[rows];
    alignas(16) __shared__ std::int32_t column_sources[columns];
    if (maps.stopped()) {
        return;
    }
    const int thread = static_cast<int>(threadIdx.x);
    const int first = thread % 32 * 4;
    const std::int64_t tiles = tiles_of(maps.count, maps.height, maps.width);
    for (std::int64_t at = blockIdx.x; at < tiles; at += gridDim.x) {
        __syncthreads();  // nobody reads the last tile any more
        if (thread == 0) {
            shared_place = place_of(at, maps.height, maps.width);
        }
        __syncthreads();
        const Place place = shared_place;
        if (thread < place.rows) {
            row_sources[thread] = maps.row(maps.geometry(place.item), place.top + thread);
        } else if (thread >= rows && thread < rows + place.columns) {
            column_sources[thread - rows] =
                maps.column(maps.geometry(place.item), place.left + thread - rows);
        }
        __syncthreads();
        const int count = place.columns - first;
        for (int y = thread / 32; y < place.rows && count > 0; y += threads / 32) {
            const std::int64_t row = row_sources[y];
            const std::int64_t to =
                (place.item * maps.height + place.top + y) * maps.width + place.left + first;
            typename Maps::Value values[4] = {};
#pragma unroll
            for (int k = 0; k < 4; ++k) {
                if (k < count && row >= 0 && column_sources[first + k] >= 0) {
                    values[k] = maps.value(row + column_sources[first + k], to + k);
                }
            }
            store_up_to_four(maps.out + to, values, count);
        }
    }
}

template <typename Maps>
cudaError_t fill(const Maps& maps, cudaStream_t stream) noexcept {
    const std::int64_t tiles = tiles_of(maps.count, maps.height, maps.width);
    return launch(fill_tiles<Maps>, blocks_for(tiles, blocks), threads, stream, maps);
}

}  // namespace refpix::cuda::nearest_tiles
