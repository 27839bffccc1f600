// Functions that the CPU and the CUDA build share are marked REFPIX_HD; they use no std:: code
// that device compilers lack.
#pragma once

#include <cstdint>

#if defined(__CUDACC__)
#define REFPIX_HD __host__ __device__
#else
#define REFPIX_HD
#endif

struct CUstream_st;

namespace refpix {

// What cuda_runtime.h calls cudaStream_t, so that contracts can be read without that header.
using DeviceStream = CUstream_st*;

// Where a kernel on the device says what is wrong. The first fault stays until it is collected.
struct DeviceFault {
    std::int32_t taken = 0;  // 0 or 1
    std::int32_t fault = 0;
    std::int64_t item = -1;
    std::int64_t position = -1;
};

}  // namespace refpix
