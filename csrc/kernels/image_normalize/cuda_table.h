// What normalising kernels on a device share: the table in shared memory.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/cuda_quads.h"
#include "kernels/image_normalize/table.h"

namespace refpix::cuda {

inline constexpr int table_entries = 3 * 256;

// By all threads of a block, which must meet before they read it.
template <typename Convert>
__device__ void fill_shared_table(const float* mean, const float* std, int threads,
                                  typename Convert::Type* table) {
    for (int i = static_cast<int>(threadIdx.x); i < table_entries; i += threads) {
        table[i] = Convert::apply(
            normalize::value(static_cast<std::uint8_t>(i & 255), mean[i >> 8], std[i >> 8]));
    }
}

}  // namespace refpix::cuda
