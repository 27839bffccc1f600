// Eight threads, one per lane of the sums, take a segment of a row of a plane, which is changed and
// added up in one pass. A second launch, a block per plane, adds up the segments. Both add in the
// order of spans.h, so the areas are the CPU's to the bit.
#include <cstdint>

#include "kernels/alpha_occlude/alpha_occlude.h"
#include "kernels/alpha_occlude/spans.h"
#include "kernels/alpha_planes.h"
#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"

namespace refpix::cuda {
namespace {

using occlude::lanes;
using occlude::Spans;
using occlude::Work;

constexpr int occlude_threads = 256;
constexpr int occlude_blocks = 8;  // per multiprocessor
constexpr int segments_each = occlude_threads / lanes;
constexpr int ahead = 8;  // values that a thread reads before it writes one
constexpr unsigned all_lanes = 0xffffffffU;

struct BoxCheck {
    const std::int64_t* boxes;
    std::int64_t height, width;

    REFPIX_HD Status operator()(std::int64_t item) const {
        return alpha::check_box(boxes, item, height, width);
    }
};

struct Pair {
    double before, after;
};

// The sums of one lane of a segment that begins at column `first`.
template <typename T>
__device__ Pair occlude_lane(const AlphaOcclude& args, std::int64_t item, std::int64_t y,
                             std::int64_t first, int lane) {
    const occlude::Places places = occlude::places_of(args, item);
    const Spans spans = places.row(y);
    T* row = static_cast<T*>(args.stack) + (item * args.height + y) * args.width;
    const std::uint8_t* front = args.front;
    if (spans.c0 < spans.c1) {
        front += (y - args.y) * args.front_width - args.x;
    }
    const auto covered = [&](std::int64_t x) { return x >= spans.c0 && x < spans.c1; };
    Pair sums{0.0, 0.0};
    for (int done = lane; done < occlude::segment_columns; done += ahead * lanes) {
        T old[ahead];
        std::uint8_t matte[ahead];
#pragma unroll
        for (int k = 0; k < ahead; ++k) {
            const std::int64_t x = first + done + k * lanes;
            const bool under = covered(x);
            old[k] = under || (x >= spans.x0 && x < spans.x1) ? row[x] : T(0);
            matte[k] = under ? front[x] : std::uint8_t{0};
        }
#pragma unroll
        for (int k = 0; k < ahead; ++k) {
            const std::int64_t x = first + done + k * lanes;
            T now = old[k];
            if (covered(x)) {
                const T by = static_cast<T>(matte[k]);
                now = places.own ? occlude::updated<Work::place>(old[k], by)
                                 : occlude::updated<Work::cover>(old[k], by);
                if (args.write) {
                    row[x] = now;
                }
            }
            sums.before += static_cast<double>(old[k]);
            sums.after += static_cast<double>(now);
        }
    }
    return sums;
}

template <typename T>
__global__ void occlude_segments(const __grid_constant__ AlphaOccludeRun run) {
    const AlphaOcclude& args = run.args;
    if (*run.first_bad < args.planes) {
        return;  // as the CPU: nothing is changed when a box is wrong
    }
    const std::int64_t in_row = occlude::segments_of(args.width);
    const std::int64_t in_plane = args.height * in_row;
    const std::int64_t count = (args.index + 1) * in_plane;
    const int lane = static_cast<int>(threadIdx.x) % lanes;
    auto* out = reinterpret_cast<Pair*>(run.segments);
    for (std::int64_t group = std::int64_t{blockIdx.x} * segments_each; group < count;
         group += std::int64_t{gridDim.x} * segments_each) {  // the same for a whole block
        const std::int64_t number = group + threadIdx.x / lanes;
        Pair sums{0.0, 0.0};
        if (number < count) {
            const std::int64_t line = number / in_row;  // of all planes
            const std::int64_t item = line / args.height;
            sums = occlude_lane<T>(args, item, line - item * args.height,
                                   (number - line * in_row) * occlude::segment_columns, lane);
        }
        for (int half = lanes / 2; half > 0; half /= 2) {
            sums.before += __shfl_down_sync(all_lanes, sums.before, half, lanes);
            sums.after += __shfl_down_sync(all_lanes, sums.after, half, lanes);
        }
        if (number < count && lane == 0) {
            out[number] = sums;
        }
    }
}

__global__ void sum_segments(const __grid_constant__ AlphaOccludeRun run) {
    __shared__ Pair totals[occlude::totals];
    const AlphaOcclude& args = run.args;
    const int thread = static_cast<int>(threadIdx.x);
    const std::int64_t in_plane = args.height * occlude::segments_of(args.width);
    const std::int64_t item = blockIdx.x;
    const Pair* segments = reinterpret_cast<const Pair*>(run.segments) + item * in_plane;
    if (*run.first_bad < args.planes) {
        return;
    }
    Pair total{0.0, 0.0};
#pragma unroll 4
    for (std::int64_t s = thread; s < in_plane; s += occlude::totals) {
        const Pair sums = segments[s];
        total.before += sums.before;
        total.after += sums.after;
    }
    totals[thread] = total;
    __syncthreads();
    for (int half = occlude::totals / 2; half > 0; half /= 2) {
        if (thread < half) {
            totals[thread].before += totals[thread + half].before;
            totals[thread].after += totals[thread + half].after;
        }
        __syncthreads();
    }
    if (thread == 0) {
        run.args.areas[2 * item] = totals[0].before;
        run.args.areas[2 * item + 1] = totals[0].after;
    }
}

}  // namespace

std::int64_t segment_sums_of(const AlphaOcclude& args) noexcept {
    return (args.index + 1) * args.height * occlude::segments_of(args.width);
}

int alpha_occlude(const AlphaOccludeRun& run, DeviceStream stream) noexcept {
    const AlphaOcclude& args = run.args;
    const BoxCheck check{args.boxes, args.height, args.width};
    const std::int64_t boxes = args.boxes == nullptr ? 0 : args.planes;
    cudaError_t error = find_bad(check, boxes, run.first_bad, stream);
    const std::int64_t segments = segment_sums_of(args);
    if (error == cudaSuccess && segments > 0) {
        const unsigned blocks =
            blocks_for((segments + segments_each - 1) / segments_each, occlude_blocks);
        error = args.type == alpha::PlaneType::float32
                    ? launch(occlude_segments<float>, blocks, occlude_threads, stream, run)
                    : launch(occlude_segments<double>, blocks, occlude_threads, stream, run);
    }
    if (error == cudaSuccess) {
        error = launch(sum_segments, static_cast<unsigned>(args.index + 1), occlude::totals, stream,
                       run);
    }
    if (error == cudaSuccess) {
        error = name_fault(check, boxes, run.first_bad, run.fault, stream);
    }
    return error;
}

}  // namespace refpix::cuda
