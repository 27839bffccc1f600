// Functions that the CPU and the CUDA build share are marked REFPIX_HD; they use no std:: code
// that device compilers lack.
#pragma once

#if defined(__CUDACC__)
#define REFPIX_HD __host__ __device__
#else
#define REFPIX_HD
#endif
