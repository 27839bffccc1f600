// A warp fills a piece of a row, a lane 16 bytes at a time. Of RGB pixels in reverse order 16 bytes
// come from six pixels: these are turned round in registers, then moved to where the chunk begins
// within a pixel. So every access is a whole word, and most writes are four.
#include <cstdint>

#include "kernels/cuda_bytes.h"
#include "kernels/cuda_faults.h"
#include "kernels/image_flip/image_flip.h"

namespace refpix::cuda {
namespace {

struct Check {
    ImageFlip args;
    __device__ Status operator()(std::int64_t item) const { return args.check(item); }
};

// One row of the source, to be read backwards.
struct MirroredRow {
    Bytes memory;
    const std::uint8_t* row;
    std::int64_t width;
    std::int64_t pixel_bytes;

    __device__ std::uint8_t byte(std::int64_t i) const {
        return row[(width - 1 - i / pixel_bytes) * pixel_bytes + i % pixel_bytes];
    }

    __device__ bool wide(std::int64_t first, Chunk& chunk) const {
        if (pixel_bytes == 3) {
            return wide_rgb(first, chunk);
        }
        if (pixel_bytes == 1) {
            return wide_bytes(first, chunk);
        }
        const auto start = reinterpret_cast<std::uintptr_t>(row);
        return pixel_bytes % 4 == 0 && first % 4 == 0 && start % 4 == 0 && wide_words(first, chunk);
    }

    __device__ bool wide_bytes(std::int64_t first, Chunk& chunk) const {
        std::uint32_t in[4];
        if (!memory.load(row + width - first - chunk_bytes, in)) {
            return false;
        }
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] = __byte_perm(in[3 - i], 0, 0x0123);
        }
        return true;
    }

    // The window is six pixels; its last two bytes of five words are not used.
    __device__ bool wide_rgb(std::int64_t first, Chunk& chunk) const {
        const std::int64_t pixel = first / 3;
        const auto channel = static_cast<unsigned>(first % 3);
        std::uint32_t in[5];
        if (!memory.load(row + 3 * (width - pixel - 6), in)) {
            return false;
        }
        const std::uint32_t turned[5] = {
            __byte_perm(in[3], in[4], 0x0543),  // bytes 15 16 17 12
            __byte_perm(in[2], in[3], 0x2165),  // 13 14 9 10
            __byte_perm(in[1], in[2], 0x4327),  // 11 6 7 8
            __byte_perm(in[0], in[1], 0x0543),  // 3 4 5 0
            in[0] >> 8,                         // 1 2
        };
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] = join(turned[i], turned[i + 1], channel);
        }
        return true;
    }

    __device__ bool wide_words(std::int64_t first, Chunk& chunk) const {
        std::int64_t pixel = first / pixel_bytes;
        std::int64_t byte = first % pixel_bytes;
        for (int i = 0; i < 4; ++i) {
            chunk.words[i] = *reinterpret_cast<const std::uint32_t*>(
                row + (width - 1 - pixel) * pixel_bytes + byte);
            byte += 4;
            if (byte == pixel_bytes) {
                byte = 0;
                ++pixel;
            }
        }
        return true;
    }
};

__device__ void flip_piece(const ImageFlip& args, std::int64_t item, std::int64_t y,
                           std::int64_t piece) {
    const bool down = (args.flips[item] & flip::vertical) != 0;
    const std::int64_t row_bytes = args.row_bytes();
    const std::uint8_t* image = args.images + item * args.image_bytes();
    const std::uint8_t* row = image + (down ? args.height - 1 - y : y) * row_bytes;
    std::uint8_t* out = args.out + item * args.image_bytes() + y * row_bytes;
    const Bytes memory{args.images, args.images + args.count * args.image_bytes()};
    if ((args.flips[item] & flip::horizontal) != 0) {
        const MirroredRow mirrored{memory, row, args.width, args.pixel_bytes};
        fill_piece(
            out, row_bytes, piece,
            [&](std::int64_t first, Chunk& chunk) { return mirrored.wide(first, chunk); },
            [&](std::int64_t i) { return mirrored.byte(i); });
    } else {
        fill_piece(
            out, row_bytes, piece,
            [&](std::int64_t first, Chunk& chunk) { return memory.load(row + first, chunk.words); },
            [&](std::int64_t i) { return row[i]; });
    }
}

__global__ void flip_rows(const __grid_constant__ ImageFlipRun run, Pieces pieces) {
    const ImageFlip& args = run.args;
    if (*run.first_bad < args.count) {
        return;  // as the CPU: nothing is flipped when an item is at fault
    }
    each_piece(pieces, [&](std::int64_t row, std::int64_t piece) {
        flip_piece(args, row / args.height, row % args.height, piece);
    });
}

}  // namespace

int image_flip(const ImageFlipRun& run, DeviceStream stream) noexcept {
    const ImageFlip& args = run.args;
    return run_checked(
        Check{args}, args.count, run.first_bad, run.fault, stream, [&]() -> cudaError_t {
            if (args.image_bytes() == 0) {
                return cudaSuccess;
            }
            const Pieces pieces = pieces_of(args.count * args.height, args.row_bytes());
            return launch(flip_rows, blocks_for(pieces), piece_threads, stream, run, pieces);
        });
}

}  // namespace refpix::cuda
