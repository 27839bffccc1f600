// How kernels that move bytes write whole, aligned chunks of 16 whatever their pictures' alignment.
// A warp fills a piece of a row of the output; a chunk's source, which may begin at any byte, is
// read as aligned words that are shifted together.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"

namespace refpix::cuda {

inline constexpr int chunk_bytes = 16;
inline constexpr int lanes = 32;
inline constexpr int chunks_per_piece = 4 * lanes;

struct alignas(chunk_bytes) Chunk {
    std::uint32_t words[4];
};

// A batch's rows of `row_bytes`, cut into pieces; a row may begin anywhere.
struct Pieces {
    std::int64_t per_row;
    std::int64_t count;
};

inline Pieces pieces_of(std::int64_t rows, std::int64_t row_bytes) noexcept {
    const std::int64_t chunks = row_bytes / chunk_bytes + 2;  // the first and last are cut
    const std::int64_t per_row = (chunks + chunks_per_piece - 1) / chunks_per_piece;
    return {per_row, rows * per_row};
}

inline constexpr int piece_threads = 256;

inline unsigned blocks_for(const Pieces& pieces) noexcept {
    constexpr int per_multiprocessor = 8;  // 2048 threads, all it holds
    const std::int64_t warps = piece_threads / lanes;
    return blocks_for((pieces.count + warps - 1) / warps, per_multiprocessor);
}

// Calls fill(row, piece of it) on whole warps.
template <typename Fill>
__device__ void each_piece(const Pieces& pieces, const Fill& fill) {
    constexpr int warps = piece_threads / lanes;
    for (std::int64_t at = std::int64_t{blockIdx.x} * warps + threadIdx.x / lanes;
         at < pieces.count; at += std::int64_t{gridDim.x} * warps) {
        fill(at / pieces.per_row, at % pieces.per_row);
    }
}

// Four bytes of two words that follow one another, `shift` (0..3) bytes from the first.
__device__ inline std::uint32_t join(std::uint32_t low, std::uint32_t high, unsigned shift) {
    return static_cast<std::uint32_t>(((std::uint64_t{high} << 32) | low) >> (8 * shift));
}

// Memory that may be read.
struct Bytes {
    const std::uint8_t* first;
    const std::uint8_t* stop;

    // Words at any address. False where the aligned words around them would leave the memory.
    template <int Words>
    __device__ bool load(const std::uint8_t* at, std::uint32_t (&words)[Words]) const {
        if (at - first < 4 || stop - at < 4 * Words + 4) {
            return false;
        }
        const auto shift = static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(at) & 3u);
        const auto* aligned = reinterpret_cast<const std::uint32_t*>(at - shift);
        std::uint32_t low = aligned[0];
        for (int i = 0; i < Words; ++i) {
            const std::uint32_t high = aligned[i + 1];
            words[i] = join(low, high, shift);
            low = high;
        }
        return true;
    }
};

// Fills one piece of a row of `bytes` bytes. `wide(first, chunk)` makes the 16 bytes from byte
// `first` of the row on, or says false; `byte(i)` makes one.
template <typename Wide, typename Byte>
__device__ void fill_piece(std::uint8_t* row, std::int64_t bytes, std::int64_t piece,
                           const Wide& wide, const Byte& byte) {
    const int lane = static_cast<int>(threadIdx.x) % lanes;
    const auto past = static_cast<int>(reinterpret_cast<std::uintptr_t>(row) & (chunk_bytes - 1));
    for (int turn = 0; turn < chunks_per_piece; turn += lanes) {
        const std::int64_t first = (piece * chunks_per_piece + turn + lane) * chunk_bytes - past;
        Chunk chunk;
        if (first >= 0 && first + chunk_bytes <= bytes && wide(first, chunk)) {
            *reinterpret_cast<Chunk*>(row + first) = chunk;
            continue;
        }
        for (std::int64_t i = first < 0 ? 0 : first; i < first + chunk_bytes && i < bytes; ++i) {
            row[i] = byte(i);
        }
    }
}

}  // namespace refpix::cuda
