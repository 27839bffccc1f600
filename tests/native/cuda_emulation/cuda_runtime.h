// Runs CUDA code on the CPU: the very same cuda.cu files and bindings, compiled by a C++ compiler
// that finds this header where nvcc has its own. Device memory is memory, streams do their work at
// once.
//
// Accesses out of bounds are AddressSanitizer's to find, races between the threads of a block
// ThreadSanitizer's (execution.h). What cannot be seen here: races between blocks, missing waits
// between streams, and what only the hardware does (memory order, bank conflicts, resources).
#pragma once

#define REFPIX_CUDA_EMULATION 1

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "device_functions.h"

#define CUDART_VERSION 13000

struct CUstream_st {};
struct CUevent_st {};
using cudaStream_t = CUstream_st*;
using cudaEvent_t = CUevent_st*;

using cudaError_t = int;
enum : int {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorMemoryAllocation = 2,
    cudaErrorInsufficientDriver = 35,
    cudaErrorNoDevice = 100,
    cudaErrorInvalidDevice = 101,
    cudaErrorNotReady = 600,
};
enum cudaMemcpyKind {
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault,
};
enum cudaMemoryType {
    cudaMemoryTypeUnregistered,
    cudaMemoryTypeHost,
    cudaMemoryTypeDevice,
    cudaMemoryTypeManaged,
};
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16 };
enum : unsigned {
    cudaEventDefault = 0,
    cudaEventBlockingSync = 1,
    cudaEventDisableTiming = 2,
    cudaStreamDefault = 0,
    cudaStreamNonBlocking = 1,
    cudaHostAllocDefault = 0,
};
struct cudaPointerAttributes {
    cudaMemoryType type;
    int device;
    void* devicePointer;
    void* hostPointer;
};
struct cudaDeviceProp {
    char name[256];
};

namespace emulation {

inline std::atomic<long> allocations{0};  // alive, of any kind: for tests that look for leaks

}  // namespace emulation

// ---- Devices

inline cudaError_t cudaGetDeviceCount(int* count) {
    *count = 1;
    return cudaSuccess;
}
inline cudaError_t cudaGetDevice(int* device) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaSetDevice(int device) {
    return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}
inline cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
    std::strcpy(properties->name, "emulated on the CPU");
    return cudaSuccess;
}
// Two multiprocessors, so that even short grids stride.
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    *value = 2;
    return cudaSuccess;
}
inline cudaError_t cudaDeviceSynchronize() {
    return cudaSuccess;
}
inline cudaError_t cudaGetLastError() {
    return cudaSuccess;
}
inline cudaError_t cudaPeekAtLastError() {
    return cudaSuccess;
}
inline const char* cudaGetErrorString(cudaError_t) {
    return "an error of the emulation";
}

// ---- Memory

inline cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* at) {
    *attributes = {cudaMemoryTypeDevice, 0, const_cast<void*>(at), nullptr};
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMalloc(T** at, std::size_t bytes) {
    *at = static_cast<T*>(std::malloc(bytes == 0 ? 1 : bytes));
    emulation::allocations += *at != nullptr;
    return *at == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
inline cudaError_t cudaFree(void* at) {
    emulation::allocations -= at != nullptr;
    std::free(at);
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaMallocAsync(T** at, std::size_t bytes, cudaStream_t) {
    return cudaMalloc(at, bytes);
}
inline cudaError_t cudaFreeAsync(void* at, cudaStream_t) {
    return cudaFree(at);
}
template <typename T>
cudaError_t cudaHostAlloc(T** at, std::size_t bytes, unsigned) {
    return cudaMalloc(at, bytes);
}
template <typename T>
cudaError_t cudaMallocHost(T** at, std::size_t bytes) {
    return cudaMalloc(at, bytes);
}
inline cudaError_t cudaFreeHost(void* at) {
    return cudaFree(at);
}
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
    if (bytes != 0) {
        std::memmove(to, from, bytes);
    }
    return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes,
                                   cudaMemcpyKind kind, cudaStream_t = nullptr) {
    return cudaMemcpy(to, from, bytes, kind);
}
inline cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                                     std::size_t from_pitch, std::size_t width, std::size_t height,
                                     cudaMemcpyKind kind, cudaStream_t = nullptr) {
    for (std::size_t row = 0; row < height; ++row) {
        cudaMemcpy(static_cast<char*>(to) + row * to_pitch,
                   static_cast<const char*>(from) + row * from_pitch, width, kind);
    }
    return cudaSuccess;
}
inline cudaError_t cudaMemsetAsync(void* at, int byte, std::size_t bytes, cudaStream_t = nullptr) {
    if (bytes != 0) {
        std::memset(at, byte, bytes);
    }
    return cudaSuccess;
}
template <typename T>
cudaError_t cudaGetSymbolAddress(void** at, T& symbol) {
    *at = &symbol;
    return cudaSuccess;
}

// ---- Streams and events

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new CUstream_st;
    ++emulation::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete stream;
    --emulation::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) {
    return cudaSuccess;
}
inline cudaError_t cudaStreamQuery(cudaStream_t) {
    return cudaSuccess;
}
inline cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned = 0) {
    return cudaSuccess;
}
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
    *event = new CUevent_st;
    ++emulation::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    --emulation::allocations;
    return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t = nullptr) {
    return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t) {
    return cudaSuccess;
}
inline cudaError_t cudaEventQuery(cudaEvent_t) {
    return cudaSuccess;
}

namespace refpix::cuda {

// In the place of kernels/cuda_launch.h's.
template <typename... Parameters, typename... Arguments>
cudaError_t launch(void (*kernel)(Parameters...), unsigned blocks, unsigned threads, cudaStream_t,
                   const Arguments&... arguments) {
    emulation::run(blocks, threads, [&] { kernel(arguments...); });
    return cudaSuccess;
}

}  // namespace refpix::cuda
