// A warp fills a piece of a row of a window, a lane 16 bytes at a time.
#include <cstdint>

#include "kernels/cuda_bytes.h"
#include "kernels/cuda_faults.h"
#include "kernels/image_crop/image_crop.h"

namespace refpix::cuda {
namespace {

struct Check {
    ImageCrop args;
    __device__ Status operator()(std::int64_t item) const { return args.check(item); }
};

__device__ void crop_piece(const ImageCrop& args, std::int64_t item, std::int64_t y,
                           std::int64_t piece) {
    const std::int64_t row_bytes = args.width * args.pixel_bytes;
    const crop::Row row = crop::row_of(args, item, y);
    const Bytes memory{
        args.images, args.images + args.count * args.in_height * args.in_width * args.pixel_bytes};
    fill_piece(
        args.out + (item * args.height + y) * row_bytes, row_bytes, piece,
        [&](std::int64_t first, Chunk& chunk) {
            if (first >= row.start && first + chunk_bytes <= row.stop) {
                return memory.load(row.source + (first - row.start), chunk.words);
            }
            if (first < row.stop && first + chunk_bytes > row.start) {
                return false;
            }
            const auto phase = static_cast<unsigned>(first & 3);
            const std::uint32_t fill = join(args.fill, args.fill, phase);
            chunk = {{fill, fill, fill, fill}};
            return true;
        },
        [&](std::int64_t i) {
            return i >= row.start && i < row.stop
                       ? row.source[i - row.start]
                       : static_cast<std::uint8_t>(args.fill >> (8 * (i & 3)));
        });
}

__global__ void crop_rows(const __grid_constant__ ImageCropRun run, Pieces pieces) {
    const ImageCrop& args = run.args;
    if (*run.first_bad < args.count) {
        return;  // as the CPU: nothing is cropped when an item is at fault
    }
    each_piece(pieces, [&](std::int64_t row, std::int64_t piece) {
        crop_piece(args, row / args.height, row % args.height, piece);
    });
}

}  // namespace

int image_crop(const ImageCropRun& run, DeviceStream stream) noexcept {
    const ImageCrop& args = run.args;
    return run_checked(
        Check{args}, args.count, run.first_bad, run.fault, stream, [&]() -> cudaError_t {
            if (args.pixel_bytes == 0) {
                return cudaSuccess;
            }
            const Pieces pieces =
                pieces_of(args.count * args.height, args.width * args.pixel_bytes);
            return launch(crop_rows, blocks_for(pieces), piece_threads, stream, run, pieces);
        });
}

}  // namespace refpix::cuda
