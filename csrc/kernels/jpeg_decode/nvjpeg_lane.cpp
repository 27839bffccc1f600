#include "kernels/jpeg_decode/nvjpeg_lane.h"

#include <new>

namespace refpix::nvjpeg {
namespace {

// Decoding Huffman codes on the device pays for large pictures only, and is for baseline ones.
// nvImageCodec draws the line here too.
constexpr std::int64_t gpu_huffman_pixels = 1000 * 1000;
constexpr std::int64_t kept_pixels = std::int64_t{64} << 20;

}  // namespace

cudaError_t copy_box(const Picture& picture, const std::uint8_t* whole,
                     cudaStream_t stream) noexcept {
    const std::int64_t x = picture.box == nullptr ? 0 : picture.box[0];
    const std::int64_t y = picture.box == nullptr ? 0 : picture.box[1];
    const auto wide = static_cast<std::size_t>(picture.columns * 3);
    return cudaMemcpy2DAsync(picture.out, wide, whole + (y * picture.width + x) * 3,
                             static_cast<std::size_t>(picture.width * 3), wide,
                             static_cast<std::size_t>(picture.rows), cudaMemcpyDeviceToDevice,
                             stream);
}

std::unique_ptr<Lane> Lane::create(const Api& api, Handle handle) {
    std::unique_ptr<Lane> lane(new (std::nothrow) Lane(api, handle));
    if (lane != nullptr && lane->make() != Status::success) {
        lane.reset();
    }
    return lane;
}

Lane::~Lane() {
    last_use_.wait();
}

Status Lane::make() {
    Status status = parsed_.make(
        api_.JpegStreamDestroy, [&](Stream* made) { return api_.JpegStreamCreate(handle_, made); });
    if (status == Status::success) {
        status = params_.make(api_.DecodeParamsDestroy,
                              [&](Params* made) { return api_.DecodeParamsCreate(handle_, made); });
    }
    if (status == Status::success) {
        status = api_.DecodeParamsSetOutputFormat(params_.get(), OutputFormat::rgb_interleaved);
    }
    if (status == Status::success && api_.DecodeParamsSetExifOrientation != nullptr) {
        status = api_.DecodeParamsSetExifOrientation(params_.get(), Orientation::normal);
    }
    if (status == Status::success) {
        status = pinned_.make(api_.BufferPinnedDestroy, [&](PinnedBuffer* made) {
            return api_.BufferPinnedCreate(handle_, nullptr, made);
        });
    }
    if (status == Status::success) {
        status = device_.make(api_.BufferDeviceDestroy, [&](DeviceBuffer* made) {
            return api_.BufferDeviceCreate(handle_, nullptr, made);
        });
    }
    const std::pair<Way*, Backend> ways[] = {{&host_, Backend::hybrid},
                                             {&gpu_, Backend::gpu_hybrid}};
    for (const auto& [way, backend] : ways) {
        if (status == Status::success) {
            status = way->decoder.make(api_.DecoderDestroy, [&](Decoder* made) {
                return api_.DecoderCreate(handle_, backend, made);
            });
        }
        if (status == Status::success) {
            status = way->state.make(api_.JpegStateDestroy, [&](State* made) {
                return api_.DecoderStateCreate(handle_, way->decoder.get(), made);
            });
        }
    }
    return status;
}

// The way to decode with the parameters as they are; null when there is none.
Status Lane::choose(const Picture& picture, Way** way) noexcept {
    *way = nullptr;
    Encoding encoding{};
    Status status = api_.JpegStreamGetJpegEncoding(parsed_.get(), &encoding);
    if (status != Status::success) {
        return status;
    }
    int unsupported = 1;  // 0 is the library's yes
    if (encoding == Encoding::baseline && picture.rows * picture.columns > gpu_huffman_pixels) {
        status = api_.DecoderJpegSupported(gpu_.decoder.get(), parsed_.get(), params_.get(),
                                           &unsupported);
        if (status == Status::success && unsupported == 0) {
            *way = &gpu_;
            return Status::success;
        }
    }
    status =
        api_.DecoderJpegSupported(host_.decoder.get(), parsed_.get(), params_.get(), &unsupported);
    if (status == Status::success && unsupported == 0) {
        *way = &host_;
    }
    return status;
}

Status Lane::decode(const Picture& picture, cudaStream_t stream, cudaError_t* error) noexcept {
    *error = last_use_.wait();
    if (*error != cudaSuccess) {
        return Status::execution_failed;
    }
    bloated_ = picture.height * picture.width > kept_pixels;
    Status status = api_.JpegStreamParse(handle_, picture.data, picture.size, 0, 0, parsed_.get());
    if (status != Status::success) {
        return status;
    }
    Way* way = nullptr;
    bool whole = picture.box == nullptr;
    if (!whole) {
        status = api_.DecodeParamsSetROI(
            params_.get(), static_cast<int>(picture.box[0]), static_cast<int>(picture.box[1]),
            static_cast<int>(picture.columns), static_cast<int>(picture.rows));
        status = status == Status::success ? choose(picture, &way) : status;
        whole = status != Status::success || way == nullptr;
    }
    if (whole) {
        status = api_.DecodeParamsSetROI(params_.get(), 0, 0, -1, -1);
        status = status == Status::success ? choose(picture, &way) : status;
    }
    if (status != Status::success || way == nullptr) {
        return status == Status::success ? Status::jpeg_not_supported : status;
    }
    return run(*way, picture, whole, stream, error);
}

// Both phases. `whole`: the picture is decoded whole, also when a box is wanted.
Status Lane::run(Way& way, const Picture& picture, bool whole, cudaStream_t stream,
                 cudaError_t* error) noexcept {
    const bool crop = whole && picture.box != nullptr;
    if (crop && staging_.reserve(picture.height * picture.width * 3) != cudaSuccess) {
        return Status::allocator_failure;
    }
    const State state = way.state.get();
    const Decoder decoder = way.decoder.get();
    Status status = api_.StateAttachPinnedBuffer(state, pinned_.get());
    if (status == Status::success) {
        status = api_.StateAttachDeviceBuffer(state, device_.get());
    }
    if (status == Status::success) {
        status = api_.DecodeJpegHost(handle_, decoder, state, params_.get(), parsed_.get());
    }
    if (status != Status::success) {
        return status;
    }
    status = api_.DecodeJpegTransferToDevice(handle_, decoder, state, parsed_.get(), stream);
    if (status == Status::success) {
        Image image{};
        image.channel[0] = crop ? staging_.data() : picture.out;
        image.pitch[0] = static_cast<std::size_t>((crop ? picture.width : picture.columns) * 3);
        status = api_.DecodeJpegDevice(handle_, decoder, state, &image, stream);
    }
    if (status == Status::success && crop) {
        *error = copy_box(picture, staging_.data(), stream);
    }
    // Also after a failure: something may be on its way that reads the buffers.
    const cudaError_t recorded = last_use_.record(stream);
    *error = *error == cudaSuccess ? recorded : *error;
    return *error == cudaSuccess ? status : Status::execution_failed;
}

}  // namespace refpix::nvjpeg
