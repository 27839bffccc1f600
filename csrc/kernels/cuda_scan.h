// Running sums: within a block, and over an array by one block. Unsigned, so that sums of what a
// check has yet to turn down may wrap.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"

namespace refpix::cuda {

inline constexpr int scan_threads = 128;

struct RunningSum {
    std::uint64_t here;  // of all threads up to this one
    std::uint64_t all;
};

// Of one value per thread; all threads must come. `sums` is shared memory, one for each warp.
template <int Threads>
__device__ RunningSum running_sum(std::uint64_t own, std::uint64_t (&sums)[Threads / 32]) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warp = static_cast<int>(threadIdx.x) / 32;
    std::uint64_t sum = own;
    for (int step = 1; step < 32; step *= 2) {
        const std::uint64_t before = __shfl_up_sync(0xffffffffu, sum, static_cast<unsigned>(step));
        sum += lane >= step ? before : 0;
    }
    __syncthreads();  // nobody reads the last call's sums any more
    if (lane == 31) {
        sums[warp] = sum;
    }
    __syncthreads();
    RunningSum result{sum, 0};
    for (int other = 0; other < Threads / 32; ++other) {
        result.here += other < warp ? sums[other] : 0;
        result.all += sums[other];
    }
    return result;
}

// to[i] becomes the sum of value(start) to value(i), for i in start..stop-1; returns the sum of
// all. A block calls it, a thread takes Each values at a time. to[i] is set by the thread that
// asked for value(i), so it may be where that comes from.
template <int Threads, int Each, typename Value>
__device__ std::uint64_t sum_range(std::int64_t start, std::int64_t stop, std::int64_t* to,
                                   std::uint64_t (&sums)[Threads / 32], const Value& value) {
    std::uint64_t before = 0;
    for (std::int64_t round = start; round < stop; round += Threads * Each) {
        const std::int64_t first = round + std::int64_t{threadIdx.x} * Each;
        std::uint64_t own[Each];
        std::uint64_t sum = 0;
#pragma unroll
        for (int i = 0; i < Each; ++i) {
            own[i] = first + i < stop ? value(first + i) : 0;
            sum += own[i];
        }
        const RunningSum all = running_sum<Threads>(sum, sums);
        std::uint64_t here = before + all.here - sum;
#pragma unroll
        for (int i = 0; i < Each; ++i) {
            here += own[i];
            if (first + i < stop) {
                to[first + i] = static_cast<std::int64_t>(here);
            }
        }
        before += all.all;
    }
    return before;
}

// One block: values become the sums of all up to them. For thousands of values, not billions.
template <int Threads>
__global__ void sum_up(std::int64_t* values, std::int64_t count) {
    __shared__ std::uint64_t sums[Threads / 32];
    sum_range<Threads, 8>(0, count, values, sums,
                          [=](std::int64_t i) { return static_cast<std::uint64_t>(values[i]); });
}

}  // namespace refpix::cuda
