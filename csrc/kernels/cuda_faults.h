// How kernels on a device find and tell faults: as the CPU, of several bad items they name the
// first, and nothing is computed when there is one. A check is an object that a kernel can be
// given, with
//     REFPIX_HD Status operator()(std::int64_t item) const
// A launch of its own finds the first bad item; kernels look at the answer before they begin. The
// last launch says what is wrong with it, unless an earlier fault still waits to be collected.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"
#include "kernels/cuda_launch.h"

namespace refpix::cuda {

inline constexpr int fault_threads = 256;

// Every byte set to this makes an item number above all others.
inline constexpr int no_item_byte = 0x7f;

template <typename Check>
__global__ void find_bad_items(const __grid_constant__ Check check, std::int64_t count,
                               std::int64_t* first_bad) {
    const std::int64_t threads = std::int64_t{gridDim.x} * fault_threads;
    for (std::int64_t item = std::int64_t{blockIdx.x} * fault_threads + threadIdx.x; item < count;
         item += threads) {
        if (check(item).fault != Fault::none) {
            atomicMin(reinterpret_cast<long long*>(first_bad), static_cast<long long>(item));
        }
    }
}

template <typename Check>
__global__ void name_bad_item(const __grid_constant__ Check check, std::int64_t count,
                              const std::int64_t* first_bad, DeviceFault* fault) {
    const std::int64_t item = *first_bad;
    if (threadIdx.x != 0 || item >= count || atomicCAS(&fault->taken, 0, 1) != 0) {
        return;
    }
    const Status status = check(item);
    fault->fault = static_cast<std::int32_t>(status.fault);
    fault->item = status.item < 0 ? item : status.item;
    fault->position = status.position;
}

// `first_bad` (1,): the lowest item below `count` that fails, else a number that is not below it.
template <typename Check>
cudaError_t find_bad(const Check& check, std::int64_t count, std::int64_t* first_bad,
                     cudaStream_t stream) noexcept {
    const cudaError_t error =
        cudaMemsetAsync(first_bad, no_item_byte, sizeof(std::int64_t), stream);
    if (error != cudaSuccess || count == 0) {
        return error;
    }
    const std::int64_t groups = (count + fault_threads - 1) / fault_threads;
    return launch(find_bad_items<Check>, blocks_for(groups, 1), fault_threads, stream, check, count,
                  first_bad);
}

template <typename Check>
cudaError_t name_fault(const Check& check, std::int64_t count, const std::int64_t* first_bad,
                       DeviceFault* fault, cudaStream_t stream) noexcept {
    return launch(name_bad_item<Check>, 1, 32, stream, check, count, first_bad, fault);
}

// Both, and between them what `work` launches. Nothing where there are no items.
template <typename Check, typename Work>
cudaError_t run_checked(const Check& check, std::int64_t count, std::int64_t* first_bad,
                        DeviceFault* fault, cudaStream_t stream, const Work& work) noexcept {
    if (count == 0) {
        return cudaSuccess;
    }
    cudaError_t error = find_bad(check, count, first_bad, stream);
    if (error == cudaSuccess) {
        error = work();
    }
    return error == cudaSuccess ? name_fault(check, count, first_bad, fault, stream) : error;
}

}  // namespace refpix::cuda
