// Arrays on a device, as __cuda_array_interface__ describes them, and the stream to work on.
//
// Memory comes from Python (refpix/kernels/_device.py asks torch), so that it is pooled, ordered on
// the stream and part of graphs that are being captured.
#pragma once

#include <cuda_runtime.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "bindings/bind.h"
#include "core/device.h"

namespace refpix::bind {

void check_cuda(int error);  // RuntimeError with CUDA's own words

struct DeviceArray {
    py::object owner;
    void* data = nullptr;
    Shape shape;
    std::vector<std::int64_t> strides;  // in bytes
    std::string type;                   // its short name
    bool read_only = false;
    std::optional<cudaStream_t> producer;  // the stream on which it is being written

    std::int64_t item_bytes() const { return std::stoll(type.substr(1)); }
    std::int64_t size() const;
    // Along the axes from `first_axis` on, items lie end to end.
    bool packed(std::size_t first_axis = 0) const;
};

// Reads versions 2 and 3 of the protocol. TypeError when it is no such array or none of `types`
// (separated by spaces), ValueError for a wrong number of dimensions (-1: any but 0) or a masked
// array.
DeviceArray device_array(const py::handle& object, const std::string& name, const char* types,
                         int ndim);

// The same, of this shape; a length of -1 may be any.
DeviceArray shaped_device_array(const py::handle& object, const std::string& name,
                                const char* types, const Shape& shape);

// Axes of a device's array, 0 of anything else.
int device_dimensions(const py::handle& object);

// The items of an array that lies end to end. ValueError if it does not.
template <typename T>
const T* packed(const DeviceArray& array, const std::string& name) {
    require(array.packed(), name + ": must be C-contiguous");
    return static_cast<const T*>(array.data);
}

// `out` as a caller gave it, checked: type, shape, contiguous, writable. Nothing if None.
std::optional<DeviceArray> given_out(const py::object& out, const char* types, const Shape& shape);

// While it lives, the arrays' device is the current one. The stream is the one that Python says is
// current, or else the first producer's. It waits (the host does not) for the arrays' producers.
class DeviceCall {
  public:
    explicit DeviceCall(std::initializer_list<const DeviceArray*> arrays,
                        const std::optional<DeviceArray>& out = std::nullopt);
    ~DeviceCall();
    DeviceCall(const DeviceCall&) = delete;
    DeviceCall& operator=(const DeviceCall&) = delete;

    int device() const { return device_; }
    cudaStream_t stream() const { return stream_; }

    // New memory; `dtype` is torch's name.
    DeviceArray allocate(const Shape& shape, const char* dtype) const;

    // What given_out() gave, else new memory.
    DeviceArray output(const std::optional<DeviceArray>& given, const Shape& shape,
                       const char* dtype) const;

    // Enqueues what a kernel does with `args` on the stream, without the GIL.
    template <typename Kernel, typename... Args>
    void launch(Kernel* kernel, const Args&... args) const {
        int error = 0;
        {
            py::gil_scoped_release release;
            error = kernel(args..., stream_);
        }
        check_cuda(error);
    }

    // A number that only the device knows. Waits for the stream, so it is for sizes of results
    // alone.
    std::int64_t read_back(const std::int64_t* value) const;

  private:
    void wait_for(cudaStream_t producer) const;

    int before_ = 0;
    int device_ = 0;
    cudaStream_t stream_ = nullptr;
};

// Where kernels on the current device write their first fault.
DeviceFault* device_fault();

}  // namespace refpix::bind
