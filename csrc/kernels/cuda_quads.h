// Four neighbouring values stored by one access of a device.
#pragma once

#include <cstdint>

#include "kernels/cuda_launch.h"

namespace refpix::cuda {

template <typename T>
struct Four;
template <>
struct Four<float> {
    using Type = float4;
};
template <>
struct Four<std::int32_t> {
    using Type = int4;
};
template <>
struct Four<std::uint16_t> {
    using Type = ushort4;
};
template <>
struct Four<std::uint8_t> {
    using Type = uchar4;
};

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

// The first `count` of four, by one access where it can be.
template <typename T>
__device__ void store_up_to_four(T* at, const T (&values)[4], int count) {
    if (count >= 4 && takes_four(at)) {
        store_four(at, values[0], values[1], values[2], values[3]);
        return;
    }
#pragma unroll  // else the values leave the registers
    for (int k = 0; k < 4; ++k) {
        if (k < count) {
            at[k] = values[k];
        }
    }
}

}  // namespace refpix::cuda
