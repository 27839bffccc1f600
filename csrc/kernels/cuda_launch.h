// How cuda.cu files start their kernels. The tests, which run the same files on the CPU, bring a
// launch of their own.
#pragma once

#include <cuda_runtime.h>

namespace refpix::cuda {

#if !defined(REFPIX_CUDA_EMULATION)
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads,
                   cudaStream_t stream, const Arguments&... arguments) noexcept {
    kernel<<<blocks, threads, 0, stream>>>(arguments...);
    return cudaGetLastError();
}
#endif

inline int multiprocessors() noexcept {
    int device = 0;
    int count = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess) {
        return 1;
    }
    return count;
}

// Blocks for a kernel that strides over the grid: enough to fill the device, no more than have
// something to do.
inline unsigned blocks_for(long long tiles, int blocks_per_multiprocessor) noexcept {
    const long long full = static_cast<long long>(multiprocessors()) * blocks_per_multiprocessor;
    return static_cast<unsigned>(tiles < full ? tiles : full);
}

}  // namespace refpix::cuda
