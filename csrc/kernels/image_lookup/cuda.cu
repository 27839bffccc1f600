// A lane makes 16 bytes at a time; tables are small enough to stay in the first cache.
#include <cstdint>

#include "kernels/cuda_bytes.h"
#include "kernels/image_lookup/image_lookup.h"

namespace refpix::cuda {
namespace {

__device__ void look_up_piece(const ImageLookup& args, std::int64_t item, std::int64_t piece) {
    const std::uint8_t* image = args.images + item * args.item_bytes;
    const std::uint8_t* tables = args.tables + item * args.channels * 256;
    const Bytes memory{args.images, args.images + args.count * args.item_bytes};
    fill_piece(
        args.out + item * args.item_bytes, args.item_bytes, piece,
        [&](std::int64_t first, Chunk& chunk) {
            std::uint32_t in[4];
            if (!memory.load(image + first, in)) {
                return false;
            }
            std::int64_t channel = args.channels == 1 ? 0 : first % args.channels;
            chunk = {};
            for (int i = 0; i < chunk_bytes; ++i) {
                const std::uint32_t value = in[i / 4] >> (8 * (i % 4)) & 255;
                chunk.words[i / 4] |= std::uint32_t{tables[256 * channel + value]} << (8 * (i % 4));
                channel = channel + 1 == args.channels ? 0 : channel + 1;
            }
            return true;
        },
        [&](std::int64_t i) { return tables[256 * (i % args.channels) + image[i]]; });
}

__global__ void look_up_rows(const __grid_constant__ ImageLookup args, Pieces pieces) {
    each_piece(pieces,
               [&](std::int64_t item, std::int64_t piece) { look_up_piece(args, item, piece); });
}

}  // namespace

int image_lookup(const ImageLookup& args, DeviceStream stream) noexcept {
    if (args.count == 0 || args.item_bytes == 0) {
        return 0;
    }
    const Pieces pieces = pieces_of(args.count, args.item_bytes);
    return launch(look_up_rows, blocks_for(pieces), piece_threads, stream, args, pieces);
}

}  // namespace refpix::cuda
