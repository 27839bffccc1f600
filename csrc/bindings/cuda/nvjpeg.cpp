// refpix.cuda.JpegDecoder's native half: arrays of host memory in, addresses on the device.
#include <cuda_runtime.h>

#include <map>
#include <string>
#include <vector>

#include "bindings/cuda/device_array.h"
#include "kernels/jpeg_decode/nvjpeg_decoder.h"

namespace refpix::bind {
namespace {

using nvjpeg::BatchDecoder;

// The first library that opens and starts on the device; all that was tried is in the message.
std::unique_ptr<BatchDecoder> open_decoder(const std::vector<std::string>& paths, int device,
                                           bool hardware, int threads, std::int64_t staging_bytes) {
    require(threads >= 1 && threads <= 512, "threads: expected 1 to 512");
    require(staging_bytes >= 0, "staging_bytes: must not be negative");
    const nvjpeg::DecoderOptions options{device, hardware, threads, staging_bytes};
    std::string tried;
    for (const std::string& path : paths) {
        std::string error;
        const auto library = nvjpeg::open_library(path, &error);
        auto decoder =
            library == nullptr ? nullptr : BatchDecoder::create(library, options, &error);
        if (decoder != nullptr) {
            return decoder;
        }
        tried += (tried.empty() ? "" : "; ") + error;
    }
    throw std::runtime_error("nvJPEG cannot be used: " + (tried.empty() ? "not found" : tried));
}

void decode_files(BatchDecoder& decoder, const py::object& values, const py::object& spans_,
                  const py::object& pictures, const py::object& sizes, const py::object& roi,
                  const py::object& engines_, const py::object& offsets_, std::uintptr_t pixels,
                  std::int64_t pixel_bytes, std::uint64_t stream, const py::object& done_) {
    const auto bytes = array<std::uint8_t>(values, "values", 1);
    const auto item_spans = array<std::int64_t>(spans_, "spans", 2);
    const auto engines = array<std::uint8_t>(engines_, "engines", 1);
    const auto offsets = array<std::int64_t>(offsets_, "offsets", 1);
    auto done = array<std::uint8_t>(done_, "done", 1);
    nvjpeg::Batch batch;
    batch.files = spans(bytes, item_spans);
    const std::int64_t count = batch.files.count;
    raise_on_fault(batch.files.check());
    batch.pictures = shaped_array<std::int64_t>(pictures, "pictures", {count, 2}).data();
    batch.sizes = shaped_array<std::int64_t>(sizes, "sizes", {count, 2}).data();
    batch.roi = roi.is_none() ? nullptr : shaped_array<std::int64_t>(roi, "roi", {count, 4}).data();
    require(engines.size() == count && done.size() == count && offsets.size() >= count,
            "engines, done, offsets: expected one for each item");
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t height = batch.sizes[2 * i], width = batch.sizes[2 * i + 1];
        const std::int64_t at = offsets.at(i);
        require(engines.at(i) < nvjpeg::engine_hybrid || (height > 0 && width > 0 && at >= 0 &&
                                                          height <= (pixel_bytes - at) / 3 / width),
                "pixels: no room for item " + std::to_string(i));
    }
    batch.engines = engines.data();
    batch.offsets = offsets.data();
    batch.pixels = reinterpret_cast<std::uint8_t*>(pixels);
    batch.done = done.mutable_data();
    int error = 0;
    {
        py::gil_scoped_release release;
        error = decoder.decode(batch, reinterpret_cast<DeviceStream>(stream));
    }
    check_cuda(error);
}

}  // namespace

REFPIX_BINDING(nvjpeg) {
    py::class_<BatchDecoder>(module, "NvjpegDecoder", "For refpix.cuda.JpegDecoder.")
        .def(py::init(&open_decoder), py::arg("paths"), py::kw_only(), py::arg("device"),
             py::arg("hardware"), py::arg("threads"), py::arg("staging_bytes"))
        .def("library",
             [](const BatchDecoder& decoder) {
                 const auto& version = decoder.library().version;
                 return decoder.library().path + " (" + std::to_string(version[0]) + "." +
                        std::to_string(version[1]) + "." + std::to_string(version[2]) + ")";
             })
        .def("best_engine",
             [](const BatchDecoder& decoder) {
                 return decoder.has_hardware() ? int{nvjpeg::engine_hardware}
                                               : int{nvjpeg::engine_hybrid};
             })
        .def("decode", &decode_files, py::arg("values"), py::arg("spans"), py::kw_only(),
             py::arg("pictures"), py::arg("sizes"), py::arg("roi"), py::arg("engines"),
             py::arg("offsets"), py::arg("pixels"), py::arg("pixel_bytes"), py::arg("stream"),
             py::arg("done"))
        .def("close", &BatchDecoder::close, py::call_guard<py::gil_scoped_release>())
        .def("pools", [](const BatchDecoder& decoder) {
            const nvjpeg::Pools pools = decoder.pools();
            return std::map<std::string, std::int64_t>{{"flights", pools.flights},
                                                       {"lanes", pools.lanes},
                                                       {"staging_bytes", pools.staging_bytes}};
        });
}

}  // namespace refpix::bind
