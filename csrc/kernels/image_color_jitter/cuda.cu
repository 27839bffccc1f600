// Contrast needs the mean of the picture as the steps before it leave it: a pass of its own sums it
// in integers, making those steps without keeping what they give. The second pass makes all steps
// and writes: a lane 16 bytes, which are of six pixels.
#include <cstdint>

#include "kernels/cuda_bytes.h"
#include "kernels/cuda_faults.h"
#include "kernels/image_color_jitter/steps.h"

namespace refpix::cuda {
namespace {

constexpr int summed_pixels = 4;  // of a lane, at a time
constexpr int summed_turns = 8;
constexpr int summed_per_piece = summed_pixels * summed_turns * lanes;

struct Check {
    ImageColorJitter args;
    __device__ Status operator()(std::int64_t item) const { return jitter::check(args, item); }
};

using jitter::Pixel;

template <int Words>
__device__ Pixel pixel_of(const std::uint32_t (&words)[Words], int pixel) {
    const auto byte = [&](int i) {
        return static_cast<std::int32_t>(words[i / 4] >> (8 * (i % 4)) & 255);
    };
    return {byte(3 * pixel), byte(3 * pixel + 1), byte(3 * pixel + 2)};
}

__device__ std::uint32_t channel_of(const Pixel& pixel, int channel) {
    return static_cast<std::uint32_t>(channel == 0 ? pixel.r : channel == 1 ? pixel.g : pixel.b);
}

__device__ Pixel pixel_at(const std::uint8_t* at) {
    return {at[0], at[1], at[2]};
}

template <int Count>
__device__ void apply(const jitter::Plan& plan, int stop, Pixel (&pixels)[Count]) {
    jitter::for_steps(plan, 0, stop, [&](auto step) {
        for (int i = 0; i < Count; ++i) {
            pixels[i] = jitter::apply<decltype(step)::value>(plan, pixels[i]);
        }
    });
}

template <int Count>
__device__ std::uint32_t gray_after(const jitter::Plan& plan, int steps, Pixel (&pixels)[Count]) {
    apply(plan, steps, pixels);
    std::uint32_t sum = 0;
    for (int i = 0; i < Count; ++i) {
        sum += static_cast<std::uint32_t>(jitter::gray(pixels[i]));
    }
    return sum;
}

__device__ void sum_piece(const ImageColorJitterRun& run, std::int64_t item, std::int64_t piece) {
    const ImageColorJitter& args = run.args;
    const jitter::Plan plan = jitter::plan_of(args, item);
    const int steps = plan.contrast_at();
    if (steps == jitter::step_count) {
        return;  // the whole warp
    }
    const std::int64_t pixels = args.pixels();
    const std::uint8_t* image = args.images + 3 * pixels * item;
    const Bytes memory{args.images, args.images + 3 * pixels * args.count};
    const int lane = static_cast<int>(threadIdx.x) % lanes;
    std::uint32_t sum = 0;
    for (int turn = 0; turn < summed_turns; ++turn) {
        const std::int64_t first = piece * summed_per_piece + (turn * lanes + lane) * summed_pixels;
        std::uint32_t words[3];
        if (first + summed_pixels <= pixels && memory.load(image + 3 * first, words)) {
            Pixel four[summed_pixels] = {pixel_of(words, 0), pixel_of(words, 1), pixel_of(words, 2),
                                         pixel_of(words, 3)};
            sum += gray_after(plan, steps, four);
            continue;
        }
        for (std::int64_t i = first; i < first + summed_pixels && i < pixels; ++i) {
            Pixel one[1] = {pixel_at(image + 3 * i)};
            sum += gray_after(plan, steps, one);
        }
    }
    for (int other = lanes / 2; other > 0; other /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, static_cast<unsigned>(other));
    }
    if (lane == 0) {
        atomicAdd(run.sums + item, static_cast<unsigned long long>(sum));
    }
}

__global__ void sum_gray(const __grid_constant__ ImageColorJitterRun run, Pieces pieces) {
    if (*run.first_bad < run.args.count) {
        return;
    }
    each_piece(pieces, [&](std::int64_t item, std::int64_t piece) { sum_piece(run, item, piece); });
}

__device__ void jitter_piece(const ImageColorJitterRun& run, std::int64_t item,
                             std::int64_t piece) {
    const ImageColorJitter& args = run.args;
    const std::int64_t bytes = 3 * args.pixels();
    jitter::Plan plan = jitter::plan_of(args, item);
    plan.mean = jitter::rounded_mean(run.sums[item], args.pixels());
    const std::uint8_t* image = args.images + bytes * item;
    const Bytes memory{args.images, args.images + bytes * args.count};
    fill_piece(
        args.out + bytes * item, bytes, piece,
        [&](std::int64_t first, Chunk& chunk) {
            std::uint32_t in[5];
            if (!memory.load(image + first / 3 * 3, in)) {
                return false;
            }
            Pixel pixels[6];
            for (int i = 0; i < 6; ++i) {
                pixels[i] = pixel_of(in, i);
            }
            apply(plan, jitter::step_count, pixels);
            std::uint32_t made[5] = {};
            for (int i = 0; i < 18; ++i) {
                made[i / 4] |= channel_of(pixels[i / 3], i % 3) << (8 * (i % 4));
            }
            for (int i = 0; i < 4; ++i) {
                chunk.words[i] = join(made[i], made[i + 1], static_cast<unsigned>(first % 3));
            }
            return true;
        },
        [&](std::int64_t i) {
            Pixel one[1] = {pixel_at(image + i / 3 * 3)};
            apply(plan, jitter::step_count, one);
            return static_cast<std::uint8_t>(channel_of(one[0], static_cast<int>(i % 3)));
        });
}

__global__ void jitter_rows(const __grid_constant__ ImageColorJitterRun run, Pieces pieces) {
    if (*run.first_bad < run.args.count) {
        return;  // as the CPU: nothing is changed when an item is at fault
    }
    each_piece(pieces,
               [&](std::int64_t item, std::int64_t piece) { jitter_piece(run, item, piece); });
}

cudaError_t sum_and_jitter(const ImageColorJitterRun& run, cudaStream_t stream) noexcept {
    const ImageColorJitter& args = run.args;
    const auto sums_bytes = static_cast<std::size_t>(args.count) * sizeof *run.sums;
    cudaError_t error = cudaMemsetAsync(run.sums, 0, sums_bytes, stream);
    if (error == cudaSuccess) {
        const std::int64_t each = (args.pixels() + summed_per_piece - 1) / summed_per_piece;
        const Pieces pieces{each, args.count * each};
        error = launch(sum_gray, blocks_for(pieces), piece_threads, stream, run, pieces);
    }
    if (error == cudaSuccess) {
        const Pieces pieces = pieces_of(args.count, 3 * args.pixels());
        error = launch(jitter_rows, blocks_for(pieces), piece_threads, stream, run, pieces);
    }
    return error;
}

}  // namespace

int image_color_jitter(const ImageColorJitterRun& run, DeviceStream stream) noexcept {
    const ImageColorJitter& args = run.args;
    return run_checked(Check{args}, args.count, run.first_bad, run.fault, stream,
                       [&]() -> cudaError_t {
                           return args.pixels() == 0 ? cudaSuccess : sum_and_jitter(run, stream);
                       });
}

}  // namespace refpix::cuda
