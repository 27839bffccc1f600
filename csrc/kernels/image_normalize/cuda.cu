// A block brings a run of pixels into shared memory, 16 bytes a thread, and writes it to the three
// planes, or in the same order, four values a thread: both sides of device memory see whole,
// aligned accesses.
#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/image_normalize/cuda_table.h"
#include "kernels/image_normalize/image_normalize.h"

namespace refpix::cuda {
namespace {

constexpr int normalize_threads = 256;
constexpr int normalize_blocks = 8;  // per multiprocessor: 2048 threads, all it holds
constexpr int tile_pixels = 4 * normalize_threads;
constexpr int tile_bytes = 3 * tile_pixels;

struct alignas(16) Chunk {
    std::uint32_t words[4];
};

// A run is pixels that lie end to end: a row, or the whole image when its rows are packed.
struct Runs {
    const std::uint8_t* images;
    std::int64_t image_stride;
    std::int64_t row_stride;
    std::int64_t per_image;
    std::int64_t pixels;  // in a run
    std::int64_t tiles_per_run;
    std::int64_t tiles;
    std::int64_t plane;  // pixels of an image
    float mean[3];
    float std[3];
    void* out;
};

Runs runs_of(const ImageNormalize& args) noexcept {
    Runs runs{};
    const bool packed = args.height == 1 || args.row_stride_bytes == 3 * args.width;
    runs.images = args.images;
    runs.image_stride = args.image_stride_bytes;
    runs.row_stride = args.row_stride_bytes;
    runs.per_image = packed ? 1 : args.height;
    runs.pixels = packed ? args.height * args.width : args.width;
    runs.tiles_per_run = (runs.pixels + tile_pixels - 1) / tile_pixels;
    runs.tiles = args.count * runs.per_image * runs.tiles_per_run;
    runs.plane = args.height * args.width;
    for (int channel = 0; channel < 3; ++channel) {
        runs.mean[channel] = args.mean[channel];
        runs.std[channel] = args.std[channel];
    }
    runs.out = args.out;
    return runs;
}

// Copies to tile + shift, where shift is the source's offset from a multiple of 16, so that whole
// chunks lie alike on both sides. Only bytes of the run are read. Returns shift.
__device__ int load_tile(const std::uint8_t* source, int bytes, std::uint8_t* tile) {
    const int shift = static_cast<int>(reinterpret_cast<std::uintptr_t>(source) & 15u);
    const int stop = shift + bytes;
    for (int first = 16 * static_cast<int>(threadIdx.x); first < stop;
         first += 16 * normalize_threads) {
        if (first >= shift && first + 16 <= stop) {
            *reinterpret_cast<Chunk*>(tile + first) =
                *reinterpret_cast<const Chunk*>(source + (first - shift));
        } else {
            for (int i = first < shift ? shift : first; i < first + 16 && i < stop; ++i) {
                tile[i] = source[i - shift];
            }
        }
    }
    return shift;
}

// Twelve bytes, as words where they are aligned: a stride of three words has no bank conflicts.
__device__ void read_four_pixels(const std::uint8_t* at, bool aligned, std::uint8_t bytes[12]) {
    for (int word = 0; word < 3; ++word) {
        if (aligned) {
            const std::uint32_t four = reinterpret_cast<const std::uint32_t*>(at)[word];
            for (int i = 0; i < 4; ++i) {
                bytes[4 * word + i] = static_cast<std::uint8_t>(four >> (8 * i));
            }
        } else {
            for (int i = 0; i < 4; ++i) {
                bytes[4 * word + i] = at[4 * word + i];
            }
        }
    }
}

template <typename T>
__device__ void store_planes(const std::uint8_t* pixels, int count, const T* table, T* out,
                             std::int64_t plane) {
    const bool aligned_in = (reinterpret_cast<std::uintptr_t>(pixels) & 3u) == 0;
    const int in_quads = takes_four(out) && plane % 4 == 0 ? count & ~3 : 0;
    for (int first = 4 * static_cast<int>(threadIdx.x); first < in_quads;
         first += 4 * normalize_threads) {
        std::uint8_t bytes[12];
        read_four_pixels(pixels + 3 * first, aligned_in, bytes);
        for (int channel = 0; channel < 3; ++channel) {
            const T* row = table + 256 * channel;
            store_four(out + channel * plane + first, row[bytes[channel]], row[bytes[3 + channel]],
                       row[bytes[6 + channel]], row[bytes[9 + channel]]);
        }
    }
    for (int i = in_quads + static_cast<int>(threadIdx.x); i < count; i += normalize_threads) {
        for (int channel = 0; channel < 3; ++channel) {
            out[channel * plane + i] = table[256 * channel + pixels[3 * i + channel]];
        }
    }
}

// Channels last: the i-th byte makes the i-th number.
template <typename T>
__device__ void store_pixels(const std::uint8_t* bytes, int count, const T* table, T* out) {
    const int in_quads = takes_four(out) ? count & ~3 : 0;
    for (int i = 4 * static_cast<int>(threadIdx.x); i < in_quads; i += 4 * normalize_threads) {
        const int channel = i % 3;
        const T* rows[3] = {table + 256 * channel, table + 256 * ((channel + 1) % 3),
                            table + 256 * ((channel + 2) % 3)};
        store_four(out + i, rows[0][bytes[i]], rows[1][bytes[i + 1]], rows[2][bytes[i + 2]],
                   rows[0][bytes[i + 3]]);
    }
    for (int i = in_quads + static_cast<int>(threadIdx.x); i < count; i += normalize_threads) {
        out[i] = table[256 * (i % 3) + bytes[i]];
    }
}

template <typename Convert, bool channels_last>
__global__ void normalize_tiles(const __grid_constant__ Runs runs) {
    using T = typename Convert::Type;
    __shared__ T table[table_entries];
    alignas(16) __shared__ std::uint8_t tile[tile_bytes + 16];
    fill_shared_table<Convert>(runs.mean, runs.std, normalize_threads, table);
    for (std::int64_t at = blockIdx.x; at < runs.tiles; at += gridDim.x) {
        const std::int64_t run = at / runs.tiles_per_run;
        const std::int64_t image = run / runs.per_image;
        const std::int64_t row = run % runs.per_image;
        const std::int64_t first = at % runs.tiles_per_run * tile_pixels;
        const std::int64_t left = runs.pixels - first;
        const int count = left < tile_pixels ? static_cast<int>(left) : tile_pixels;
        const std::uint8_t* source =
            runs.images + image * runs.image_stride + row * runs.row_stride + 3 * first;
        T* out = static_cast<T*>(runs.out) + 3 * image * runs.plane;
        const std::int64_t pixel = row * runs.pixels + first;
        __syncthreads();  // the table is whole, and nobody reads the last tile any more
        const int shift = load_tile(source, 3 * count, tile);
        __syncthreads();
        if (channels_last) {
            store_pixels(tile + shift, 3 * count, table, out + 3 * pixel);
        } else {
            store_planes(tile + shift, count, table, out + pixel, runs.plane);
        }
    }
}

template <bool channels_last>
auto kernel_for(NormalizeType type) noexcept {
    return type == NormalizeType::float32   ? normalize_tiles<normalize::Float32, channels_last>
           : type == NormalizeType::float16 ? normalize_tiles<normalize::Float16, channels_last>
                                            : normalize_tiles<normalize::BFloat16, channels_last>;
}

}  // namespace

int image_normalize(const ImageNormalize& args, DeviceStream stream) noexcept {
    if (args.count == 0 || args.height == 0 || args.width == 0) {
        return 0;
    }
    const Runs runs = runs_of(args);
    auto* kernel = args.channels_last ? kernel_for<true>(args.type) : kernel_for<false>(args.type);
    return launch(kernel, blocks_for(runs.tiles, normalize_blocks), normalize_threads, stream,
                  runs);
}

}  // namespace refpix::cuda
