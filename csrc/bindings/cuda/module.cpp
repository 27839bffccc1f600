#include <string>
#include <utility>

#include "bindings/cuda/device_array.h"

namespace refpix::bind {

int device_fault_address(void** address) noexcept;  // faults.cu

DeviceFault* device_fault() {
    void* address = nullptr;
    check_cuda(device_fault_address(&address));
    return static_cast<DeviceFault*>(address);
}

namespace {

void check_index(int index) {
    int count = 0;
    require(cudaGetDeviceCount(&count) == cudaSuccess && index >= 0 && index < count,
            "no CUDA device " + std::to_string(index));
}

// (count, reason why it is 0). Without a driver the runtime says "insufficient driver".
std::pair<int, std::string> probe() {
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    cudaGetLastError();
    if (error == cudaErrorInsufficientDriver) {
        int driver = 0;
        cudaDriverGetVersion(&driver);
        return {0, driver == 0 ? "no CUDA driver" : "the CUDA driver is too old"};
    }
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
        return {0, "no CUDA device"};
    }
    if (error != cudaSuccess) {
        return {0, cudaGetErrorString(error)};
    }
    return {count, ""};
}

std::string device_name(int index) {
    check_index(index);
    cudaDeviceProp properties;
    check_cuda(cudaGetDeviceProperties(&properties, index));
    return properties.name;
}

void raise_faults(int index) {
    check_index(index);
    DeviceFault seen;
    int error = cudaSuccess;
    DeviceFault* record = nullptr;
    int before = 0;
    check_cuda(cudaGetDevice(&before));
    check_cuda(cudaSetDevice(index));
    {
        py::gil_scoped_release release;
        error = cudaDeviceSynchronize();
        void* address = nullptr;
        error = error == cudaSuccess ? device_fault_address(&address) : error;
        record = static_cast<DeviceFault*>(address);
        if (error == cudaSuccess) {
            error = cudaMemcpy(&seen, record, sizeof seen, cudaMemcpyDeviceToHost);
        }
        if (error == cudaSuccess && seen.taken != 0) {
            const DeviceFault none;
            error = cudaMemcpy(record, &none, sizeof none, cudaMemcpyHostToDevice);
            // A copy from pageable memory may return before it is done, and other streams do not
            // wait for it: it must not wipe out what a later kernel notes.
            error = error == cudaSuccess ? cudaDeviceSynchronize() : error;
        }
        cudaSetDevice(before);
    }
    check_cuda(error);
    if (seen.taken != 0) {
        raise_on_fault({static_cast<Fault>(seen.fault), seen.item, seen.position});
    }
}

}  // namespace

PYBIND11_MODULE(_cuda, module) {
    module.doc() = "CUDA kernels of refpix. Use refpix.kernels and refpix.cuda.";
    add_bindings(module);
    module.def("architectures", [] { return REFPIX_CUDA_ARCHITECTURES; });
    module.def("runtime_version", [] { return CUDART_VERSION; });
    module.def("probe", probe);
    module.def("device_count", [] { return probe().first; });
    module.def("device_name", device_name, py::arg("index"));
    module.def("raise_faults", raise_faults, py::arg("index"));
}

}  // namespace refpix::bind
