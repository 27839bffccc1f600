// The record that every kernel of a device shares. A variable of the module needs no allocation, so
// it is there while a graph is being captured, and each device has its own.
#include <cuda_runtime.h>

#include "core/device.h"

namespace refpix::bind {
namespace {

__device__ DeviceFault first_fault;

}  // namespace

int device_fault_address(void** address) noexcept {
    return cudaGetSymbolAddress(address, first_fault);
}

}  // namespace refpix::bind
