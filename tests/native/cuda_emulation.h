// Runs CUDA kernels on the CPU: the very same cuda.cu files, compiled by a C++ compiler.
//
// A std::thread stands for each thread of a block, and the blocks of a grid go one after the other;
// barriers are std::barrier. So a race between the threads of a block is a race that
// ThreadSanitizer sees, and an access out of bounds one that AddressSanitizer sees. What cannot be
// seen here: races between blocks, and what only the hardware does (memory order, bank conflicts).
#pragma once

#define REFPIX_CUDA_EMULATION 1

#include <atomic>
#include <barrier>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __grid_constant__
#define __shared__ static  // blocks run one at a time, so one copy serves them all

using cudaStream_t = struct CUstream_st*;
using cudaError_t = int;
inline constexpr cudaError_t cudaSuccess = 0;

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(8) ushort4 {
    std::uint16_t x, y, z, w;
};

namespace emulation {

struct Warp {
    std::barrier<> barrier{32};
    bool votes[32] = {};
};
struct Block {
    explicit Block(unsigned threads) : barrier(threads), warps(new Warp[threads / 32]) {}
    std::barrier<> barrier;
    std::unique_ptr<Warp[]> warps;
};
inline thread_local Block* block = nullptr;

}  // namespace emulation

inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

inline void __syncthreads() {
    emulation::block->barrier.arrive_and_wait();
}

// All lanes must come, as with a full mask on a device.
inline unsigned __ballot_sync(unsigned, bool vote) {
    emulation::Warp& warp = emulation::block->warps[threadIdx.x / 32];
    warp.votes[threadIdx.x % 32] = vote;
    warp.barrier.arrive_and_wait();
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) {
        bits |= unsigned{warp.votes[lane]} << lane;
    }
    warp.barrier.arrive_and_wait();
    return bits;
}

inline int __popc(unsigned bits) {
    return std::popcount(bits);
}

inline long long atomicMin(long long* at, long long value) {
    std::atomic_ref<long long> cell(*at);
    long long seen = cell.load();
    while (value < seen && !cell.compare_exchange_weak(seen, value)) {
    }
    return seen;
}

inline int atomicCAS(int* at, int expected, int value) {
    std::atomic_ref<int>(*at).compare_exchange_strong(expected, value);
    return expected;
}

template <typename T>
T atomicAdd(T* at, T value) {
    return std::atomic_ref<T>(*at).fetch_add(value);
}

template <typename T>
void __stcg(T* at, T value) {
    *at = value;
}

template <typename Stream>
cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t size, Stream) {
    std::memset(at, byte, size);
    return cudaSuccess;
}

namespace refpix::cuda {

// Two, so that even short grids stride.
inline int multiprocessors() noexcept {
    return 2;
}

template <typename... Parameters, typename Stream, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, Stream,
                   const Arguments&... arguments) {
    emulation::Block block(threads);
    std::vector<std::thread> team;
    for (unsigned thread = 0; thread < threads; ++thread) {
        team.emplace_back([&, thread] {
            emulation::block = &block;
            threadIdx = {thread, 0, 0};
            blockDim = {threads, 1, 1};
            gridDim = {blocks, 1, 1};
            for (unsigned number = 0; number < blocks; ++number) {
                blockIdx = {number, 0, 0};
                kernel(arguments...);
                block.barrier.arrive_and_wait();
            }
        });
    }
    for (std::thread& thread : team) {
        thread.join();
    }
    return cudaSuccess;
}

}  // namespace refpix::cuda
