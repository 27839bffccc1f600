// A warp takes a strip of a row of the output, sixteen values a lane, so that device memory sees
// whole, aligned accesses; what is read beside it may lie anywhere (words.h). The background is
// copied on the way: each byte of the output is written once. Where nothing shows of a foreground
// it is not read, and nothing is written in place.
#include <cstdint>
#include <cstring>

#include "kernels/alpha_composite/alpha_composite.h"
#include "kernels/alpha_composite/blend.h"
#include "kernels/alpha_composite/linear.h"
#include "kernels/alpha_composite/place.h"
#include "kernels/alpha_composite/words.h"
#include "kernels/cuda_launch.h"

namespace refpix::cuda {
namespace {

using composite::Bytes;
using composite::Chunk;
using composite::chunk_bytes;
using composite::LinearTables;

constexpr int composite_threads = 256;
constexpr int composite_blocks = 8;  // per multiprocessor: 2048 threads, all it holds
constexpr int warps_each = composite_threads / 32;
constexpr int strip_chunks = 4;                                // of a lane
constexpr int strip_values = 32 * strip_chunks * chunk_bytes;  // of a warp

// A strip's row. Columns count values, not pixels.
struct Row {
    std::int64_t under;  // index of its first value in the output
    int values;          // how many it has
    int first, last;     // columns first..last-1 lie under the foreground, none if last is 0
    std::int64_t over;   // index of the value over column 0, were the foreground that wide
    std::int64_t matte;  // of the matte over pixel 0, likewise
};

// Strip `number` of a launch in which each row has `strips`.
__device__ Row row_of(const AlphaComposite& args, std::int64_t number, std::int64_t strips) {
    const std::int64_t line = number / strips;  // of all items
    const std::int64_t item = line / args.height;
    const std::int64_t y = line - item * args.height;
    const auto channels = static_cast<int>(args.channels);
    Row row{};
    row.values = static_cast<int>(args.width) * channels;
    row.under = line * row.values;
    const std::int64_t left = args.positions[2 * item];
    const std::int64_t top = args.positions[2 * item + 1];
    const composite::Range rows = composite::visible(top, args.fg_height, args.height);
    const composite::Range columns = composite::visible(left, args.fg_width, args.width);
    if (columns.empty() || rows.empty() || y < top + rows.start || y >= top + rows.stop) {
        return row;
    }
    row.first = static_cast<int>(left + columns.start) * channels;
    row.last = static_cast<int>(left + columns.stop) * channels;
    row.matte = (item * args.fg_height + y - top) * args.fg_width - left;
    row.over = row.matte * channels;
    return row;
}

struct Source {
    Bytes backgrounds, foregrounds, mattes;
    bool in_place;
};

Source source_of(const AlphaCompositeRun& run) noexcept {
    const AlphaComposite& args = run.args;
    const std::int64_t pixels = args.count * args.fg_height * args.fg_width;
    return {{static_cast<const std::uint8_t*>(run.backgrounds),
             args.count * args.height * args.width * args.channels},
            {static_cast<const std::uint8_t*>(args.foregrounds), pixels * args.channels},
            {static_cast<const std::uint8_t*>(args.mattes), pixels},
            run.backgrounds == args.out};
}

template <CompositeMode mode>
__device__ std::uint32_t blend_word(std::uint32_t under, std::uint32_t over, std::uint32_t matte,
                                    const LinearTables* tables) {
    if constexpr (mode == CompositeMode::paste) {
        return composite::paste_word(under, over, matte);
    } else {
        std::uint32_t word = 0;
        for (int byte = 0; byte < 4; ++byte) {
            const std::uint8_t below = composite::byte_of(under, byte);
            const std::uint8_t m = composite::byte_of(matte, byte);
            const std::uint8_t value =
                m == 0 ? below
                       : composite::blend_linear(*tables, below, composite::byte_of(over, byte),
                                                 static_cast<float>(m) / 255.0F);
            word |= std::uint32_t{value} << (8 * byte);
        }
        return word;
    }
}

// A chunk that begins at `column` of a row, under the foreground at least in part. False: nothing
// shows there.
template <CompositeMode mode, int channels>
__device__ bool blend_chunk(const Source& source, const Row& row, int column,
                            const LinearTables* tables, Chunk& under) {
    const int start = row.first - column;
    const int stop = row.last - column;
    Chunk over;
    if constexpr (mode == CompositeMode::rgba) {
        composite::read_words<4>(source.foregrounds, row.over + column, over.words);
        composite::keep_bytes(over, start, stop);  // an alpha of 0 leaves what is under it
        for (int i = 0; i < 4; ++i) {
            std::uint8_t below[4], above[4];
            std::memcpy(below, &under.words[i], 4);
            std::memcpy(above, &over.words[i], 4);
            composite::over_rgba(below, above);
            std::memcpy(&under.words[i], below, 4);
        }
        return true;
    } else {
        Chunk matte = composite::mattes_of<channels>(source.mattes, row.matte, column);
        composite::keep_bytes(matte, start, stop);
        if (composite::all_are(matte, 0U)) {
            return false;
        }
        composite::read_words<4>(source.foregrounds, row.over + column, over.words);
        if (composite::all_are(matte, ~0U)) {
            under = over;
            return true;
        }
        for (int i = 0; i < 4; ++i) {
            under.words[i] =
                blend_word<mode>(under.words[i], over.words[i], matte.words[i], tables);
        }
        return true;
    }
}

// The first and last chunk of a row may hold bytes of its neighbours, which are neither read nor
// written.
template <CompositeMode mode, int channels>
__device__ void composite_chunk(const Source& source, const Row& row, int column,
                                const LinearTables* tables, std::uint8_t* out) {
    const bool covered = row.first < column + chunk_bytes && row.last > column;
    if (source.in_place && !covered) {
        return;
    }
    const int start = column < 0 ? -column : 0;
    const int stop = row.values - column < chunk_bytes ? row.values - column : chunk_bytes;
    const bool whole = stop - start == chunk_bytes;
    const std::int64_t at = row.under + column;
    Chunk under{};
    if (whole) {
        composite::read_words<4>(source.backgrounds, at, under.words);
    } else {
        for (int i = 0; i < chunk_bytes; ++i) {
            if (i >= start && i < stop) {
                under.words[i / 4] |= std::uint32_t{source.backgrounds.data[at + i]}
                                      << (8 * (i % 4));
            }
        }
    }
    const bool changed = covered && blend_chunk<mode, channels>(source, row, column, tables, under);
    if (source.in_place && !changed) {
        return;
    }
    if (whole) {
        *reinterpret_cast<Chunk*>(out + at) = under;
        return;
    }
    for (int i = 0; i < chunk_bytes; ++i) {
        if (i >= start && i < stop) {
            out[at + i] = composite::byte_of(under.words[i / 4], i % 4);
        }
    }
}

// Pixels of `channels` bytes: 1, 3 or 4; with 4 the output is aligned to them.
template <CompositeMode mode, int channels>
__global__ void composite_chunks(const __grid_constant__ AlphaCompositeRun run,
                                 const __grid_constant__ Source source, std::int64_t strips) {
    const int thread = static_cast<int>(threadIdx.x);
    const LinearTables* tables = nullptr;
    if constexpr (mode == CompositeMode::linear) {
        __shared__ LinearTables near;
        tables = &near;
        for (int i = 4 * thread; i < static_cast<int>(sizeof near); i += 4 * composite_threads) {
            std::memcpy(reinterpret_cast<char*>(&near) + i,
                        reinterpret_cast<const char*>(run.tables) + i, 4);
        }
        __syncthreads();
    }
    const AlphaComposite& args = run.args;
    auto* out = static_cast<std::uint8_t*>(args.out);
    const std::int64_t count = args.count * args.height * strips;
    const std::int64_t warps = std::int64_t{gridDim.x} * warps_each;
    for (std::int64_t number = std::int64_t{blockIdx.x} * warps_each + thread / 32; number < count;
         number += warps) {
        const Row row = row_of(args, number, strips);
        if (source.in_place && row.last == 0) {
            continue;
        }
        // Chunks begin where the output is aligned, so perhaps before the row.
        const auto lead =
            static_cast<int>((reinterpret_cast<std::uintptr_t>(out) + row.under) % chunk_bytes);
        int column =
            static_cast<int>(number % strips) * strip_values - lead + thread % 32 * chunk_bytes;
        for (int k = 0; k < strip_chunks && column < row.values; ++k) {
            composite_chunk<mode, channels>(source, row, column, tables, out);
            column += 32 * chunk_bytes;
        }
    }
}

// A value at a time (in mode rgba a pixel): float32, and bytes of other channels or alignments.
template <CompositeMode mode, typename T>
__global__ void composite_values(const __grid_constant__ AlphaCompositeRun run, bool in_place,
                                 std::int64_t strips) {
    constexpr int unit = mode == CompositeMode::rgba ? 4 : 1;
    const AlphaComposite& args = run.args;
    const auto* backgrounds = static_cast<const T*>(run.backgrounds);
    const auto* foregrounds = static_cast<const T*>(args.foregrounds);
    const auto* mattes = static_cast<const T*>(args.mattes);
    auto* out = static_cast<T*>(args.out);
    const std::int64_t count = args.count * args.height * strips;
    const std::int64_t warps = std::int64_t{gridDim.x} * warps_each;
    const int thread = static_cast<int>(threadIdx.x);
    for (std::int64_t number = std::int64_t{blockIdx.x} * warps_each + thread / 32; number < count;
         number += warps) {
        const Row row = row_of(args, number, strips);
        const int from = static_cast<int>(number % strips) * (strip_values / chunk_bytes);
        const int first = from * unit + thread % 32 * unit;
        for (int k = 0; k < strip_chunks; ++k) {
            const int column = first + k * 32 * unit;
            if (column >= row.values) {
                break;
            }
            const bool covered = column >= row.first && column < row.last;
            if (in_place && !covered) {
                continue;
            }
            T value[unit];
            for (int c = 0; c < unit; ++c) {
                value[c] = backgrounds[row.under + column + c];
            }
            if (covered) {
                const T* over = foregrounds + (row.over + column);
                if constexpr (mode == CompositeMode::rgba) {
                    composite::over_rgba(value, over);
                } else {
                    const T matte = mattes[row.matte + column / static_cast<int>(args.channels)];
                    if constexpr (mode == CompositeMode::real) {
                        value[0] = composite::mix(value[0], over[0], matte);
                    } else if constexpr (mode == CompositeMode::paste) {
                        value[0] = composite::paste(value[0], over[0], matte);
                    } else if (matte != 0) {
                        value[0] = composite::blend_linear(*run.tables, value[0], over[0],
                                                           static_cast<float>(matte) / 255.0F);
                    }
                }
            }
            for (int c = 0; c < unit; ++c) {
                out[row.under + column + c] = value[c];
            }
        }
    }
}

// The tables travel as parameters of kernels, of which a launch takes 4 KB: nothing is allocated,
// nothing waits, and a graph that is captured holds its own copy.
struct Piece {
    std::uint32_t words[768];
};

__global__ void store_piece(const __grid_constant__ Piece piece, std::uint32_t* to) {
    to[threadIdx.x] = piece.words[threadIdx.x];
}

static_assert(sizeof(LinearTables) == composite::linear_table_bytes &&
              sizeof(LinearTables) == 2 * sizeof(Piece));

cudaError_t store_tables(LinearTables* to, cudaStream_t stream) noexcept {
    Piece pieces[2];
    std::memcpy(pieces, &composite::linear_tables(), sizeof pieces);
    auto* words = reinterpret_cast<std::uint32_t*>(to);
    cudaError_t error = launch(store_piece, 1, 768, stream, pieces[0], words);
    if (error == cudaSuccess) {
        error = launch(store_piece, 1, 768, stream, pieces[1], words + 768);
    }
    return error;
}

unsigned composite_grid(const AlphaComposite& args, std::int64_t strips) noexcept {
    const std::int64_t warps = args.count * args.height * strips;
    return blocks_for((warps + warps_each - 1) / warps_each, composite_blocks);
}

template <CompositeMode mode, int channels>
cudaError_t by_chunks(const AlphaCompositeRun& run, cudaStream_t stream) noexcept {
    const AlphaComposite& args = run.args;
    // A row may begin up to 15 bytes after a chunk does.
    const std::int64_t strips =
        (args.width * args.channels + chunk_bytes - 1 + strip_values - 1) / strip_values;
    return launch(composite_chunks<mode, channels>, composite_grid(args, strips), composite_threads,
                  stream, run, source_of(run), strips);
}

template <CompositeMode mode, typename T>
cudaError_t by_values(const AlphaCompositeRun& run, cudaStream_t stream) noexcept {
    const AlphaComposite& args = run.args;
    constexpr int units = strip_values / chunk_bytes;
    const std::int64_t row = mode == CompositeMode::rgba ? args.width : args.width * args.channels;
    const std::int64_t strips = (row + units - 1) / units;
    return launch(composite_values<mode, T>, composite_grid(args, strips), composite_threads,
                  stream, run, run.backgrounds == args.out, strips);
}

template <CompositeMode mode>
cudaError_t on_bytes(const AlphaCompositeRun& run, cudaStream_t stream) noexcept {
    const bool aligned = reinterpret_cast<std::uintptr_t>(run.args.out) % 4 == 0;
    if (run.args.channels == 4 && aligned) {
        return by_chunks<mode, 4>(run, stream);
    }
    if constexpr (mode != CompositeMode::rgba) {
        if (run.args.channels == 3) {
            return by_chunks<mode, 3>(run, stream);
        }
        if (run.args.channels == 1) {
            return by_chunks<mode, 1>(run, stream);
        }
    }
    return by_values<mode, std::uint8_t>(run, stream);
}

}  // namespace

int alpha_composite(const AlphaCompositeRun& run, DeviceStream stream) noexcept {
    const AlphaComposite& args = run.args;
    if (args.count == 0 || args.height == 0 || args.width == 0 || args.channels == 0) {
        return 0;
    }
    switch (args.mode) {
        case CompositeMode::paste:
            return on_bytes<CompositeMode::paste>(run, stream);
        case CompositeMode::rgba:
            return on_bytes<CompositeMode::rgba>(run, stream);
        case CompositeMode::linear: {
            const cudaError_t error = store_tables(run.tables, stream);
            return error == cudaSuccess ? on_bytes<CompositeMode::linear>(run, stream) : error;
        }
        case CompositeMode::real:
            return by_values<CompositeMode::real, float>(run, stream);
    }
    return 0;
}

}  // namespace refpix::cuda
