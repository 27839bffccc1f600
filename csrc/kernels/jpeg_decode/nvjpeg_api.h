// The part of nvJPEG's C interface that is used here, declared by ourselves: the library is opened
// at run time, and nothing of CUDA's toolkit but its runtime is needed to build.
//
// Source: nvJPEG's documentation. tests/native/nvjpeg_api_check.cpp holds every name and number
// against the library's own header where that is installed.
#pragma once

#include <cstddef>

#include "core/device.h"

namespace refpix::nvjpeg {

enum class Status : int {
    success = 0,
    not_initialized = 1,
    invalid_parameter = 2,
    bad_jpeg = 3,
    jpeg_not_supported = 4,
    allocator_failure = 5,
    execution_failed = 6,
    arch_mismatch = 7,
    internal_error = 8,
    implementation_not_supported = 9,
    incomplete_bitstream = 10,
};

enum class Backend : int { standard = 0, hybrid = 1, gpu_hybrid = 2, hardware = 3 };
enum class Encoding : int { baseline = 0xc0 };
enum class Sampling : int { s444 = 0 };
enum class OutputFormat : int { rgb_interleaved = 5 };
enum class Orientation : int { normal = 1 };
enum class Property : int { major = 0, minor = 1, patch = 2 };

// From 12.1 on. Without it chroma is repeated, which is far from what libjpeg does.
inline constexpr unsigned upsampling_with_interpolation = 1u << 5;

struct Image {
    unsigned char* channel[4];
    std::size_t pitch[4];
};

// What the library keeps behind its handles.
using Handle = struct HandleContents*;
using State = struct StateContents*;
using Stream = struct StreamContents*;
using Params = struct ParamsContents*;
using Decoder = struct DecoderContents*;
using PinnedBuffer = struct PinnedBufferContents*;
using DeviceBuffer = struct DeviceBufferContents*;

// Name without its prefix, parameters. All return a status.
#define REFPIX_NVJPEG_REQUIRED(X)                                                                \
    X(GetProperty, (Property, int*))                                                             \
    X(CreateEx,                                                                                  \
      (Backend, void* device_allocator, void* pinned_allocator, unsigned flags, Handle*))        \
    X(Destroy, (Handle))                                                                         \
    X(JpegStateCreate, (Handle, State*))                                                         \
    X(JpegStateDestroy, (State))                                                                 \
    X(JpegStreamCreate, (Handle, Stream*))                                                       \
    X(JpegStreamDestroy, (Stream))                                                               \
    X(JpegStreamParse, (Handle, const unsigned char* data, std::size_t size, int save_metadata,  \
                        int save_stream, Stream))                                                \
    X(JpegStreamGetJpegEncoding, (Stream, Encoding*))                                            \
    X(DecodeParamsCreate, (Handle, Params*))                                                     \
    X(DecodeParamsDestroy, (Params))                                                             \
    X(DecodeParamsSetOutputFormat, (Params, OutputFormat))                                       \
    X(DecodeParamsSetROI, (Params, int x, int y, int width, int height))                         \
    X(DecoderCreate, (Handle, Backend, Decoder*))                                                \
    X(DecoderDestroy, (Decoder))                                                                 \
    X(DecoderJpegSupported, (Decoder, Stream, Params, int* unsupported))                         \
    X(DecoderStateCreate, (Handle, Decoder, State*))                                             \
    X(BufferPinnedCreate, (Handle, void* allocator, PinnedBuffer*))                              \
    X(BufferPinnedDestroy, (PinnedBuffer))                                                       \
    X(BufferDeviceCreate, (Handle, void* allocator, DeviceBuffer*))                              \
    X(BufferDeviceDestroy, (DeviceBuffer))                                                       \
    X(StateAttachPinnedBuffer, (State, PinnedBuffer))                                            \
    X(StateAttachDeviceBuffer, (State, DeviceBuffer))                                            \
    X(DecodeJpegHost, (Handle, Decoder, State, Params, Stream))                                  \
    X(DecodeJpegTransferToDevice, (Handle, Decoder, State, Stream, DeviceStream))                \
    X(DecodeJpegDevice, (Handle, Decoder, State, Image*, DeviceStream))                          \
    X(DecodeBatchedInitialize, (Handle, State, int count, int threads, OutputFormat))            \
    X(DecodeBatched, (Handle, State, const unsigned char* const* data, const std::size_t* sizes, \
                      Image*, DeviceStream))                                                     \
    X(DecodeBatchedSupported, (Handle, Stream, int* unsupported))

// Null where the library is too old for them.
#define REFPIX_NVJPEG_OPTIONAL(X)                                                                  \
    X(DecodeBatchedEx, (Handle, State, const unsigned char* const* data, const std::size_t* sizes, \
                        Image*, Params*, DeviceStream))                                            \
    X(DecodeBatchedSupportedEx, (Handle, Stream, Params, int* unsupported))                        \
    X(DecodeBatchedPreAllocate,                                                                    \
      (Handle, State, int count, int width, int height, Sampling, OutputFormat))                   \
    X(DecodeParamsSetExifOrientation, (Params, Orientation))                                       \
    X(GetHardwareDecoderInfo, (Handle, unsigned* engines, unsigned* cores))                        \
    X(SetDeviceMemoryPadding, (std::size_t, Handle))                                               \
    X(SetPinnedMemoryPadding, (std::size_t, Handle))

struct Api {
#define REFPIX_NVJPEG_MEMBER(name, parameters) Status(*name) parameters = nullptr;
    REFPIX_NVJPEG_REQUIRED(REFPIX_NVJPEG_MEMBER)
    REFPIX_NVJPEG_OPTIONAL(REFPIX_NVJPEG_MEMBER)
#undef REFPIX_NVJPEG_MEMBER
};

}  // namespace refpix::nvjpeg
