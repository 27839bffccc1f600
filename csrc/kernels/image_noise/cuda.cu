// A lane makes 8 bytes at a time, whose noise is one block of Philox. The nodes come as a parameter
// of the launch, so that nothing is copied, and lie in shared memory, as lanes read them anywhere.
#include <cstdint>

#include "kernels/cuda_bytes.h"
#include "kernels/cuda_faults.h"
#include "kernels/image_noise/noise.h"

namespace refpix::cuda {
namespace {

constexpr int block_bytes = 8;
constexpr int turns = 4;
constexpr int bytes_per_piece = turns * lanes * block_bytes;

struct Check {
    ImageNoise args;
    __device__ Status operator()(std::int64_t item) const { return args.check(item); }
};

struct alignas(block_bytes) Pair {
    std::uint32_t words[2];
};

// With the noise of the block, in place.
__device__ void add_noise(const noise::Stream& stream, std::int64_t block,
                          const std::int32_t* nodes, Pair& bytes) {
    const noise::Words random = noise::philox(stream, static_cast<std::uint64_t>(block));
    Pair made = {};
    for (int i = 0; i < block_bytes; ++i) {
        const std::uint32_t bits = random.word[i / 2] >> (16 * (i % 2)) & 0xffff;
        const auto value = static_cast<std::int32_t>(bytes.words[i / 4] >> (8 * (i % 4)) & 255);
        const std::int32_t sum = noise::add(value, noise::normal(nodes, bits), stream.scale);
        made.words[i / 4] |= static_cast<std::uint32_t>(sum) << (8 * (i % 4));
    }
    bytes = made;
}

__device__ void noise_piece(const ImageNoise& args, const std::int32_t* nodes, std::int64_t item,
                            std::int64_t piece) {
    const noise::Stream stream = noise::stream_of(args, item);
    const std::uint8_t* image = args.images + item * args.item_bytes;
    std::uint8_t* out = args.out + item * args.item_bytes;
    const Bytes memory{args.images, args.images + args.count * args.item_bytes};
    const bool aligned = reinterpret_cast<std::uintptr_t>(out) % block_bytes == 0;
    const int lane = static_cast<int>(threadIdx.x) % lanes;
    for (int turn = 0; turn < turns; ++turn) {
        const std::int64_t first = piece * bytes_per_piece + (turn * lanes + lane) * block_bytes;
        const std::int64_t left = args.item_bytes - first;
        if (left <= 0) {
            break;
        }
        const int size = left < block_bytes ? static_cast<int>(left) : block_bytes;
        Pair bytes = {};
        if (size < block_bytes || !memory.load(image + first, bytes.words)) {
            for (int i = 0; i < block_bytes; ++i) {
                const std::uint32_t value = i < size ? image[first + i] : 0;
                bytes.words[i / 4] |= value << (8 * (i % 4));
            }
        }
        add_noise(stream, first / block_bytes, nodes, bytes);
        if (aligned && size == block_bytes) {
            *reinterpret_cast<Pair*>(out + first) = bytes;
            continue;
        }
        for (int i = 0; i < block_bytes; ++i) {
            if (i < size) {
                out[first + i] = static_cast<std::uint8_t>(bytes.words[i / 4] >> (8 * (i % 4)));
            }
        }
    }
}

__global__ void noise_rows(const __grid_constant__ ImageNoiseRun run,
                           const __grid_constant__ noise::Nodes normal_nodes, Pieces pieces) {
    __shared__ std::int32_t nodes[noise::node_count];
    if (*run.first_bad < run.args.count) {
        return;  // as the CPU: nothing is changed when an item is at fault
    }
    for (int i = static_cast<int>(threadIdx.x); i < noise::node_count; i += piece_threads) {
        nodes[i] = normal_nodes.node[i];
    }
    __syncthreads();
    each_piece(pieces, [&](std::int64_t item, std::int64_t piece) {
        noise_piece(run.args, nodes, item, piece);
    });
}

}  // namespace

int image_noise(const ImageNoiseRun& run, DeviceStream stream) noexcept {
    const ImageNoise& args = run.args;
    return run_checked(
        Check{args}, args.count, run.first_bad, run.fault, stream, [&]() -> cudaError_t {
            if (args.item_bytes == 0) {
                return cudaSuccess;
            }
            const std::int64_t each = (args.item_bytes + bytes_per_piece - 1) / bytes_per_piece;
            const Pieces pieces{each, args.count * each};
            return launch(noise_rows, blocks_for(pieces), piece_threads, stream, run,
                          noise::normal_nodes, pieces);
        });
}

}  // namespace refpix::cuda
