// What CUDA offers to kernels beyond C++, one thread at a time. A function that is missing here and
// used by a kernel is added here.
#pragma once

#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "execution.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static __attribute__((section("refpix_shared")))

#define REFPIX_EMULATED_VECTOR(name, type, bytes, ...) \
    struct alignas(bytes) name {                       \
        type __VA_ARGS__;                              \
    };
REFPIX_EMULATED_VECTOR(char2, signed char, 2, x, y)
REFPIX_EMULATED_VECTOR(uchar2, unsigned char, 2, x, y)
REFPIX_EMULATED_VECTOR(uchar4, unsigned char, 4, x, y, z, w)
REFPIX_EMULATED_VECTOR(ushort2, unsigned short, 4, x, y)
REFPIX_EMULATED_VECTOR(ushort4, unsigned short, 8, x, y, z, w)
REFPIX_EMULATED_VECTOR(int2, int, 8, x, y)
REFPIX_EMULATED_VECTOR(int4, int, 16, x, y, z, w)
REFPIX_EMULATED_VECTOR(uint2, unsigned, 8, x, y)
REFPIX_EMULATED_VECTOR(uint4, unsigned, 16, x, y, z, w)
REFPIX_EMULATED_VECTOR(float2, float, 8, x, y)
REFPIX_EMULATED_VECTOR(float4, float, 16, x, y, z, w)
REFPIX_EMULATED_VECTOR(double2, double, 16, x, y)
REFPIX_EMULATED_VECTOR(longlong2, long long, 16, x, y)
REFPIX_EMULATED_VECTOR(ulonglong2, unsigned long long, 16, x, y)
#undef REFPIX_EMULATED_VECTOR
// uchar3 and float3 are aligned as their members.
struct uchar3 {
    unsigned char x, y, z;
};
struct float3 {
    float x, y, z;
};

inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) {
    return {x, y, z, w};
}
inline ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z,
                            unsigned short w) {
    return {x, y, z, w};
}
inline int4 make_int4(int x, int y, int z, int w) {
    return {x, y, z, w};
}
inline uint2 make_uint2(unsigned x, unsigned y) {
    return {x, y};
}
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) {
    return {x, y, z, w};
}
inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}

// ---- Blocks

inline void __syncthreads() {
    emulation::team->meet(0);
}
inline int __syncthreads_count(int predicate) {
    return static_cast<int>(emulation::team->meet(predicate != 0));
}
inline int __syncthreads_or(int predicate) {
    return __syncthreads_count(predicate) != 0;
}
inline int __syncthreads_and(int predicate) {
    return __syncthreads_count(predicate) == static_cast<int>(blockDim.x);
}
inline void __threadfence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
}
inline void __threadfence_block() {
    __threadfence();
}

// ---- Warps

namespace emulation {

template <typename T>
std::uint64_t bits_of(T value) {
    static_assert(sizeof(T) <= 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

template <typename T>
struct Lanes {
    std::uint64_t bits[warp_size];

    Lanes(std::uint32_t lanes, T value) { team->exchange(lanes, bits_of(value), bits); }
    T operator[](unsigned lane) const {
        T value;
        std::memcpy(&value, &bits[lane], sizeof value);
        return value;
    }
};

inline unsigned lane() {
    return threadIdx.x % warp_size;
}

// Of values of the lanes in a mask, by any operation.
template <typename T, typename Operation>
T reduce(std::uint32_t lanes, T value, Operation operation) {
    const Lanes<T> all(lanes, value);
    bool first = true;
    T result{};
    for (unsigned one = 0; one < warp_size; ++one) {
        if (lanes >> one & 1) {
            result = first ? all[one] : operation(result, all[one]);
            first = false;
        }
    }
    return result;
}

}  // namespace emulation

inline void __syncwarp(unsigned lanes = 0xffffffffu) {
    emulation::Lanes<int>(lanes, 0);
}
inline unsigned __ballot_sync(unsigned lanes, int vote) {
    const emulation::Lanes<int> all(lanes, vote);
    unsigned bits = 0;
    for (unsigned lane = 0; lane < 32; ++lane) {
        bits |= (lanes >> lane & 1u) != 0 && all[lane] != 0 ? 1u << lane : 0u;
    }
    return bits;
}
inline int __any_sync(unsigned lanes, int vote) {
    return __ballot_sync(lanes, vote) != 0;
}
inline int __all_sync(unsigned lanes, int vote) {
    return __ballot_sync(lanes, vote) == lanes;
}
template <typename T>
T __shfl_sync(unsigned lanes, T value, int from, int width = 32) {
    const emulation::Lanes<T> all(lanes, value);
    const auto lane = static_cast<int>(emulation::lane());
    return all[static_cast<unsigned>(lane / width * width + (from & (width - 1)))];
}
template <typename T>
T __shfl_up_sync(unsigned lanes, T value, unsigned by, int width = 32) {
    const emulation::Lanes<T> all(lanes, value);
    const unsigned lane = emulation::lane();
    return lane % static_cast<unsigned>(width) >= by ? all[lane - by] : value;
}
template <typename T>
T __shfl_down_sync(unsigned lanes, T value, unsigned by, int width = 32) {
    const emulation::Lanes<T> all(lanes, value);
    const unsigned lane = emulation::lane();
    const auto wide = static_cast<unsigned>(width);
    return lane % wide + by < wide ? all[lane + by] : value;
}
template <typename T>
T __shfl_xor_sync(unsigned lanes, T value, int mask, int width = 32) {
    const emulation::Lanes<T> all(lanes, value);
    const unsigned lane = emulation::lane();
    const unsigned from = lane ^ static_cast<unsigned>(mask);
    const auto wide = static_cast<unsigned>(width);
    return from / wide <= lane / wide ? all[from] : value;
}
inline unsigned __reduce_add_sync(unsigned lanes, unsigned value) {
    return emulation::reduce(lanes, value, [](unsigned a, unsigned b) { return a + b; });
}
inline int __reduce_add_sync(unsigned lanes, int value) {
    return emulation::reduce(lanes, value, [](int a, int b) { return a + b; });
}
inline unsigned __reduce_or_sync(unsigned lanes, unsigned value) {
    return emulation::reduce(lanes, value, [](unsigned a, unsigned b) { return a | b; });
}

// ---- Bits

inline int __popc(unsigned bits) {
    return std::popcount(bits);
}
inline int __popcll(unsigned long long bits) {
    return std::popcount(bits);
}
inline int __clz(int bits) {
    return std::countl_zero(static_cast<unsigned>(bits));
}
inline int __clzll(long long bits) {
    return std::countl_zero(static_cast<unsigned long long>(bits));
}
inline int __ffs(int bits) {
    return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned>(bits)) + 1;
}
inline int __ffsll(long long bits) {
    return bits == 0 ? 0 : std::countr_zero(static_cast<unsigned long long>(bits)) + 1;
}
inline unsigned __umulhi(unsigned a, unsigned b) {
    return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32);
}
inline unsigned __funnelshift_r(unsigned low, unsigned high, unsigned by) {
    const unsigned long long both = static_cast<unsigned long long>(high) << 32 | low;
    return static_cast<unsigned>(both >> (by & 31u));
}
inline unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
    const unsigned long long both = static_cast<unsigned long long>(b) << 32 | a;
    unsigned result = 0;
    for (unsigned byte = 0; byte < 4; ++byte) {
        const unsigned chosen = selector >> 4 * byte & 0xfu;
        unsigned value = static_cast<unsigned>(both >> 8 * (chosen & 7u)) & 0xffu;
        if (chosen & 8u) {
            value = value & 0x80u ? 0xffu : 0u;
        }
        result |= value << 8 * byte;
    }
    return result;
}
inline unsigned __float_as_uint(float value) {
    return std::bit_cast<unsigned>(value);
}
inline float __uint_as_float(unsigned bits) {
    return std::bit_cast<float>(bits);
}
inline int __float_as_int(float value) {
    return std::bit_cast<int>(value);
}
inline float __int_as_float(int bits) {
    return std::bit_cast<float>(bits);
}
inline float __fadd_rn(float a, float b) {
    return a + b;
}
inline float __fmul_rn(float a, float b) {
    return a * b;
}
inline float __fdiv_rn(float a, float b) {
    return a / b;
}
inline float __fsqrt_rn(float a) {
    return std::sqrt(a);
}
inline double __dadd_rn(double a, double b) {
    return a + b;
}
inline double __dmul_rn(double a, double b) {
    return a * b;
}
inline double __ddiv_rn(double a, double b) {
    return a / b;
}

// ---- Memory

template <typename T>
T __ldg(const T* at) {
    return *at;
}
template <typename T>
T __ldcs(const T* at) {
    return *at;
}
template <typename T>
T __ldcg(const T* at) {
    return *at;
}
template <typename T>
void __stcs(T* at, T value) {
    *at = value;
}
template <typename T>
void __stcg(T* at, T value) {
    *at = value;
}

// ---- Atomics: for the types that CUDA has them for.

namespace emulation {

template <typename T, typename Operation>
T update(T* at, Operation operation) {
    std::atomic_ref<T> cell(*at);
    T seen = cell.load();
    while (!cell.compare_exchange_weak(seen, operation(seen))) {
    }
    return seen;
}

}  // namespace emulation

#define REFPIX_EMULATED_ATOMICS(type)                                                    \
    inline type atomicAdd(type* at, type value) {                                        \
        return emulation::update(at, [=](type x) { return (type)(x + value); });         \
    }                                                                                    \
    inline type atomicMin(type* at, type value) {                                        \
        return emulation::update(at, [=](type x) { return x < value ? x : value; });     \
    }                                                                                    \
    inline type atomicMax(type* at, type value) {                                        \
        return emulation::update(at, [=](type x) { return x > value ? x : value; });     \
    }                                                                                    \
    inline type atomicExch(type* at, type value) {                                       \
        return emulation::update(at, [=](type) { return value; });                       \
    }                                                                                    \
    inline type atomicCAS(type* at, type expected, type value) {                         \
        return emulation::update(at, [=](type x) { return x == expected ? value : x; }); \
    }                                                                                    \
    inline type atomicOr(type* at, type value) {                                         \
        return emulation::update(at, [=](type x) { return (type)(x | value); });         \
    }                                                                                    \
    inline type atomicXor(type* at, type value) {                                        \
        return emulation::update(at, [=](type x) { return (type)(x ^ value); });         \
    }                                                                                    \
    inline type atomicAnd(type* at, type value) {                                        \
        return emulation::update(at, [=](type x) { return (type)(x & value); });         \
    }
REFPIX_EMULATED_ATOMICS(int)
REFPIX_EMULATED_ATOMICS(unsigned)
REFPIX_EMULATED_ATOMICS(unsigned long long)
#undef REFPIX_EMULATED_ATOMICS
// CUDA has no atomicAdd for long long.
inline long long atomicMin(long long* at, long long value) {
    return emulation::update(at, [=](long long x) { return x < value ? x : value; });
}
inline long long atomicMax(long long* at, long long value) {
    return emulation::update(at, [=](long long x) { return x > value ? x : value; });
}
