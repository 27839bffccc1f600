// What normalising kernels on a device share: the table in shared memory, and stores of four
// neighbouring values at once.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"
#include "kernels/image_normalize/table.h"

namespace refpix::cuda {

inline constexpr int table_entries = 3 * 256;

template <typename T>
struct Four;
template <>
struct Four<float> {
    using Type = float4;
};
template <>
struct Four<std::uint16_t> {
    using Type = ushort4;
};

// By all threads of a block, which must meet before they read it.
template <typename Convert>
__device__ void fill_shared_table(const float* mean, const float* std, int threads,
                                  typename Convert::Type* table) {
    for (int i = static_cast<int>(threadIdx.x); i < table_entries; i += threads) {
        table[i] = Convert::apply(
            normalize::value(static_cast<std::uint8_t>(i & 255), mean[i >> 8], std[i >> 8]));
    }
}

template <typename T>
__device__ bool takes_four(const T* at) {
    return reinterpret_cast<std::uintptr_t>(at) % sizeof(typename Four<T>::Type) == 0;
}

// `at` takes four. An explicit store: the compiler takes an assignment apart.
template <typename T>
__device__ void store_four(T* at, T a, T b, T c, T d) {
    using Quad = typename Four<T>::Type;
    __stcg(reinterpret_cast<Quad*>(at), Quad{a, b, c, d});
}

}  // namespace refpix::cuda
