#include "bindings/cuda/device_array.h"

namespace refpix::bind {
namespace {

constexpr const char* protocol = "__cuda_array_interface__";

// Handles 1 and 2 of the protocol are CUDA's own names for the legacy and the per-thread stream;
// torch says 0 for the legacy one.
cudaStream_t stream_handle(std::uint64_t number) {
    return reinterpret_cast<cudaStream_t>(number == 1 ? 0 : number);
}

py::object python_device() {
    return py::module_::import("refpix.kernels._device");
}

std::optional<int> device_of(const DeviceArray& array) {
    if (array.data == nullptr || array.size() == 0) {
        return std::nullopt;  // empty arrays may point nowhere
    }
    cudaPointerAttributes attributes{};
    check_cuda(cudaPointerGetAttributes(&attributes, array.data));
    require(attributes.type != cudaMemoryTypeUnregistered, "array does not lie on a device");
    return attributes.device;
}

}  // namespace

void check_cuda(int error) {
    if (error != cudaSuccess) {
        cudaGetLastError();  // forget it: the next call is not at fault
        throw std::runtime_error("CUDA error " + std::to_string(error) + ": " +
                                 cudaGetErrorString(static_cast<cudaError_t>(error)));
    }
}

std::int64_t DeviceArray::size() const {
    std::int64_t items = 1;
    for (const std::int64_t length : shape) {
        items *= length;
    }
    return items;
}

bool DeviceArray::packed(std::size_t first_axis) const {
    std::int64_t wanted = item_bytes();
    for (std::size_t axis = shape.size(); axis-- > first_axis;) {
        if (shape[axis] > 1 && strides[axis] != wanted) {
            return size() == 0;
        }
        wanted *= shape[axis];
    }
    return true;
}

int device_dimensions(const py::handle& object) {
    return py::hasattr(object, protocol) ? static_cast<int>(py::len(object.attr(protocol)["shape"]))
                                         : 0;
}

DeviceArray device_array(const py::handle& object, const std::string& name, const char* types,
                         int ndim) {
    const std::string prefix = name + ": ";
    if (!py::hasattr(object, protocol)) {
        throw py::type_error(prefix + "expected an array on a CUDA device");
    }
    const auto interface = object.attr(protocol).cast<py::dict>();
    const auto version = interface["version"].cast<int>();
    require(version >= 2, prefix + "__cuda_array_interface__ version 2 or later is needed");
    require(!interface.contains("mask") || interface["mask"].is_none(),
            prefix + "masked arrays are not supported");

    DeviceArray array;
    array.owner = py::reinterpret_borrow<py::object>(object);
    const auto typestr = interface["typestr"].cast<std::string>();
    array.type = typestr.substr(1);
    const bool swapped = typestr[0] == '>';
    if (swapped || !is_among(array.type, types)) {
        throw py::type_error(prefix + "expected dtype " + dtype_names(types) + ", got " +
                             (swapped ? "big-endian " : "") + dtype_names(array.type));
    }
    array.shape = interface["shape"].cast<Shape>();
    const auto axes = static_cast<int>(array.shape.size());
    require(ndim >= 0 || axes > 0, prefix + "expected at least one axis");
    require(ndim < 0 || axes == ndim, prefix + "expected " + std::to_string(ndim) +
                                          " dimensions, got " + std::to_string(axes));
    const auto data = interface["data"].cast<py::tuple>();
    array.data = reinterpret_cast<void*>(data[0].cast<std::uintptr_t>());
    array.read_only = data[1].cast<bool>();
    if (interface.contains("strides") && !interface["strides"].is_none()) {
        array.strides = interface["strides"].cast<std::vector<std::int64_t>>();
        require(array.strides.size() == array.shape.size(), prefix + "strides do not fit shape");
    } else {
        array.strides.resize(array.shape.size());
        std::int64_t stride = array.item_bytes();
        for (std::size_t axis = array.shape.size(); axis-- > 0;) {
            array.strides[axis] = stride;
            stride *= array.shape[axis];
        }
    }
    if (interface.contains("stream") && !interface["stream"].is_none()) {
        const auto number = interface["stream"].cast<std::uint64_t>();
        require(number != 0, prefix + "stream 0 is ambiguous and not allowed by the protocol");
        array.producer = stream_handle(number);
    }
    return array;
}

DeviceArray shaped_device_array(const py::handle& object, const std::string& name,
                                const char* types, const Shape& shape) {
    DeviceArray array = device_array(object, name, types, static_cast<int>(shape.size()));
    require_shape(array.shape, shape, name);
    return array;
}

std::optional<DeviceArray> given_out(const py::object& out, const char* types, const Shape& shape) {
    if (out.is_none()) {
        return std::nullopt;
    }
    DeviceArray given = shaped_device_array(out, "out", types, shape);
    require(given.packed(), "out: must be C-contiguous");
    require(!given.read_only, "out: array is read-only");
    return given;
}

DeviceCall::DeviceCall(std::initializer_list<const DeviceArray*> inputs,
                       const std::optional<DeviceArray>& out) {
    std::vector<const DeviceArray*> arrays(inputs);
    if (out) {
        arrays.push_back(&*out);
    }
    check_cuda(cudaGetDevice(&before_));
    std::optional<int> device;
    std::optional<cudaStream_t> first_producer;
    for (const DeviceArray* array : arrays) {
        const auto own = device_of(*array);
        require(!own || !device || *own == *device, "arrays lie on different devices");
        device = device ? device : own;
        first_producer = first_producer ? first_producer : array->producer;
    }
    device_ = device.value_or(before_);
    const py::object current = python_device().attr("current_stream")(device_);
    stream_ = current.is_none() ? first_producer.value_or(nullptr)
                                : stream_handle(current.cast<std::uint64_t>());
    check_cuda(cudaSetDevice(device_));
    try {
        for (const DeviceArray* array : arrays) {
            if (array->producer && *array->producer != stream_) {
                wait_for(*array->producer);
            }
        }
    } catch (...) {
        cudaSetDevice(before_);
        throw;
    }
}

DeviceCall::~DeviceCall() {
    cudaSetDevice(before_);
}

void DeviceCall::wait_for(cudaStream_t producer) const {
    cudaEvent_t written;
    check_cuda(cudaEventCreateWithFlags(&written, cudaEventDisableTiming));
    cudaError_t error = cudaEventRecord(written, producer);
    if (error == cudaSuccess) {
        error = cudaStreamWaitEvent(stream_, written, 0);
    }
    cudaEventDestroy(written);  // the wait that is enqueued stays
    check_cuda(error);
}

DeviceArray DeviceCall::allocate(const Shape& shape, const char* dtype) const {
    const py::object made = python_device().attr("empty")(
        py::tuple(py::cast(shape)), dtype, device_, reinterpret_cast<std::uintptr_t>(stream_));
    return device_array(made, dtype, "u1 b1 i4 u4 i8 f8 f4 f2 V2", static_cast<int>(shape.size()));
}

DeviceArray DeviceCall::output(const std::optional<DeviceArray>& given, const Shape& shape,
                               const char* dtype) const {
    return given ? *given : allocate(shape, dtype);
}

std::int64_t DeviceCall::read_back(const std::int64_t* value) const {
    std::int64_t host = 0;
    int error = 0;
    {
        py::gil_scoped_release release;
        error = cudaMemcpyAsync(&host, value, sizeof host, cudaMemcpyDeviceToHost, stream_);
        error = error == cudaSuccess ? cudaStreamSynchronize(stream_) : error;
    }
    check_cuda(error);
    return host;
}

}  // namespace refpix::bind
