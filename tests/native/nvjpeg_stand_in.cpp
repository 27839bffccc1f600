// A library with nvJPEG's interface that decodes on the CPU, by libjpeg: so that everything around
// nvJPEG runs for real, with real pixels, where there is no GPU. It refuses what nvJPEG refuses,
// fails on files with the comment "fails while decoding", counts what is alive, and notices when a
// state, a stream object or a buffer is used by two threads at once or out of order.
//
// STAND_IN_OLD leaves out what older releases lack, STAND_IN_INCOMPLETE something that none lacks.
#include <atomic>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/jpeg_decode/nvjpeg_api.h"

// clang-format off: jpeglib.h needs size_t and FILE.
#include <jpeglib.h>
// clang-format on

namespace {

std::atomic<long> alive{0}, misuses{0}, hardware_calls{0}, hybrid_calls{0};
std::atomic<int> engines{1}, boxes{1};

// Where the engines have written, for tests that look where they have not.
std::mutex written_mutex;
std::vector<std::pair<const unsigned char*, const unsigned char*>> written;

struct Counted {
    Counted() { ++alive; }
    ~Counted() { --alive; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::atomic<bool> busy{false};
};

// One user at a time.
class Use {
  public:
    explicit Use(Counted* counted) : counted_(counted) {
        misuses += counted_ == nullptr || counted_->busy.exchange(true);
    }
    ~Use() {
        if (counted_ != nullptr) {
            counted_->busy = false;
        }
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

  private:
    Counted* counted_;
};

struct Size {
    int width = 0, height = 0, components = 0;
    bool baseline = false, arithmetic = false, usual = false;
};

struct Errors {
    jpeg_error_mgr manager;
    std::jmp_buf jump;
};

[[noreturn]] void give_up(j_common_ptr common) {
    std::longjmp(reinterpret_cast<Errors*>(common->err)->jump, 1);
}

// The header, and the pixels if there is room for them. False: damaged, or of an odd kind.
bool read_jpeg(const unsigned char* data, std::size_t bytes, bool fancy, Size* size,
               unsigned char* pixels) {
    Errors errors;
    jpeg_decompress_struct info;
    info.err = jpeg_std_error(&errors.manager);
    errors.manager.error_exit = give_up;
    errors.manager.output_message = [](j_common_ptr) {};
    if (setjmp(errors.jump) != 0) {
        jpeg_destroy_decompress(&info);
        return false;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, const_cast<unsigned char*>(data), static_cast<unsigned long>(bytes));
    jpeg_read_header(&info, TRUE);
    const jpeg_component_info* first = info.comp_info;
    size->width = static_cast<int>(info.image_width);
    size->height = static_cast<int>(info.image_height);
    size->components = info.num_components;
    size->arithmetic = info.arith_code;
    size->baseline =
        !info.progressive_mode && !info.arith_code && info.comps_in_scan == info.num_components;
    size->usual = (info.num_components == 1 || info.num_components == 3) &&
                  first->h_samp_factor <= 2 && first->v_samp_factor <= 2;
    bool sound = true;
    if (pixels != nullptr) {
        info.out_color_space = JCS_RGB;
        info.do_fancy_upsampling = fancy;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            JSAMPROW row = pixels + std::size_t{info.output_scanline} * info.output_width * 3;
            jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
        sound = errors.manager.num_warnings == 0;
    }
    jpeg_destroy_decompress(&info);
    return sound;
}

bool fails(const unsigned char* data, std::size_t bytes) {
    const std::string_view all(reinterpret_cast<const char*>(data), bytes);
    return all.find("fails while decoding") != std::string_view::npos;
}

}  // namespace

namespace refpix::nvjpeg {

struct HandleContents : Counted {
    Backend backend{};
    bool fancy = false;
};
struct StreamContents : Counted {
    const unsigned char* data = nullptr;
    std::size_t bytes = 0;
    Size size;
};
struct ParamsContents : Counted {
    int x = 0, y = 0, width = -1, height = -1;
    bool format = false;
    bool whole() const { return width < 0; }
};
struct DecoderContents : Counted {
    Backend backend{};
};
struct PinnedBufferContents : Counted {
    std::vector<unsigned char> bytes;
};
struct DeviceBufferContents : Counted {
    std::vector<unsigned char> bytes;
};
struct StateContents : Counted {
    Handle handle = nullptr;
    Decoder decoder = nullptr;
    PinnedBuffer pinned = nullptr;
    DeviceBuffer device = nullptr;
    int batch = -1;
    Size size;
    int x = 0, y = 0, width = 0, height = 0;
    enum { idle, decoded, transferred } phase = idle;
};

namespace {

template <typename T>
Status make(T** made) {
    *made = new T;
    return Status::success;
}
template <typename T>
Status destroy(T* one) {
    {
        const Use use(one);
    }
    delete one;
    return Status::success;
}

bool taken_by_hybrid(const Size& size, Backend backend) {
    return !size.arithmetic && size.components != 4 &&
           (backend != Backend::gpu_hybrid || size.baseline);
}

Status batch_supports(Handle handle, Stream stream, Params params, int* unsupported) {
    const Use use(stream);
    const Size& size = stream->size;
    const bool box = params != nullptr && !params->whole();
    const bool yes =
        handle->backend == Backend::hardware && size.baseline && size.usual && !(box && boxes == 0);
    *unsupported = yes ? 0 : 1;
    return Status::success;
}

Status put(const std::vector<unsigned char>& pixels, const Size& size, int x, int y, int width,
           int height, const Image& image) {
    for (int row = 0; row < height; ++row) {
        std::memcpy(image.channel[0] + static_cast<std::size_t>(row) * image.pitch[0],
                    pixels.data() + (static_cast<std::size_t>(y + row) * size.width + x) * 3,
                    static_cast<std::size_t>(width) * 3);
    }
    return Status::success;
}

Status decode_batch(Handle handle, State state, const unsigned char* const* data,
                    const std::size_t* bytes, Image* images, Params* params) {
    const Use use(state);
    ++hardware_calls;
    misuses += state->batch < 0 || handle->backend != Backend::hardware;
    if (engines == 2) {
        return Status::execution_failed;
    }
    Status status = Status::success;
    for (int i = 0; i < state->batch; ++i) {
        Size size;
        std::vector<unsigned char> pixels;
        bool sound = !fails(data[i], bytes[i]) &&
                     read_jpeg(data[i], bytes[i], handle->fancy, &size, nullptr);
        if (sound) {
            pixels.resize(static_cast<std::size_t>(size.width) * size.height * 3);
            sound = read_jpeg(data[i], bytes[i], handle->fancy, &size, pixels.data());
        }
        if (!sound) {
            status = Status::bad_jpeg;  // of the batch; what is decoded stays, the rest is rubbish
            continue;
        }
        const bool whole = params == nullptr || params[i]->whole();
        const int width = whole ? size.width : params[i]->width;
        const int height = whole ? size.height : params[i]->height;
        put(pixels, size, whole ? 0 : params[i]->x, whole ? 0 : params[i]->y, width, height,
            images[i]);
        const std::lock_guard lock(written_mutex);
        written.emplace_back(images[i].channel[0],
                             images[i].channel[0] + images[i].pitch[0] * height);
    }
    state->batch = -1;
    return status;
}

}  // namespace

extern "C" {

#define STAND_IN_API __attribute__((visibility("default")))

// ---- What tests ask for and set

STAND_IN_API long stand_in_alive() {
    return alive;
}
STAND_IN_API long stand_in_misuses() {
    return misuses;
}
STAND_IN_API long stand_in_hardware_calls() {
    return hardware_calls;
}
STAND_IN_API long stand_in_hybrid_calls() {
    return hybrid_calls;
}
// Whether there are JPEG engines (2: which never work), and whether nvJPEG decodes boxes.
STAND_IN_API void stand_in_set(int with_engines, int with_boxes) {
    engines = with_engines;
    boxes = with_boxes;
}
// Whether the engines have written to any of these bytes since the last time.
STAND_IN_API int stand_in_engines_wrote(const unsigned char* begin, const unsigned char* end) {
    const std::lock_guard lock(written_mutex);
    bool any = false;
    for (const auto& [first, last] : written) {
        any = any || (first < end && begin < last);
    }
    written.clear();
    return any;
}

// ---- nvJPEG's

STAND_IN_API Status nvjpegGetProperty(Property property, int* value) {
#if defined(STAND_IN_OLD)
    const int version[3] = {12, 1, 0};
#else
    const int version[3] = {13, 0, 4};
#endif
    *value = version[static_cast<int>(property)];
    return Status::success;
}
STAND_IN_API Status nvjpegCreateEx(Backend backend, void*, void*, unsigned flags, Handle* handle) {
    if (backend == Backend::hardware && engines == 0) {
        return Status::arch_mismatch;
    }
    make(handle);
    (*handle)->backend = backend;
    (*handle)->fancy = (flags & upsampling_with_interpolation) != 0;
    return Status::success;
}
STAND_IN_API Status nvjpegDestroy(Handle handle) {
    return destroy(handle);
}
STAND_IN_API Status nvjpegJpegStateCreate(Handle handle, State* state) {
    make(state);
    (*state)->handle = handle;
    return Status::success;
}
STAND_IN_API Status nvjpegDecoderStateCreate(Handle handle, Decoder decoder, State* state) {
    make(state);
    (*state)->handle = handle;
    (*state)->decoder = decoder;
    return Status::success;
}
STAND_IN_API Status nvjpegJpegStateDestroy(State state) {
    return destroy(state);
}
STAND_IN_API Status nvjpegJpegStreamCreate(Handle, Stream* stream) {
    return make(stream);
}
STAND_IN_API Status nvjpegJpegStreamDestroy(Stream stream) {
    return destroy(stream);
}
STAND_IN_API Status nvjpegJpegStreamParse(Handle, const unsigned char* data, std::size_t bytes, int,
                                          int, Stream stream) {
    const Use use(stream);
    stream->data = data;
    stream->bytes = bytes;
    if (bytes < 4 || data[bytes - 2] != 0xff || data[bytes - 1] != 0xd9) {
        return Status::incomplete_bitstream;
    }
    return read_jpeg(data, bytes, true, &stream->size, nullptr) ? Status::success
                                                                : Status::bad_jpeg;
}
STAND_IN_API Status nvjpegJpegStreamGetJpegEncoding(Stream stream, Encoding* encoding) {
    const Use use(stream);
    *encoding = stream->size.baseline ? Encoding::baseline : static_cast<Encoding>(0xc2);
    return Status::success;
}
STAND_IN_API Status nvjpegDecodeParamsCreate(Handle, Params* params) {
    return make(params);
}
STAND_IN_API Status nvjpegDecodeParamsDestroy(Params params) {
    return destroy(params);
}
STAND_IN_API Status nvjpegDecodeParamsSetOutputFormat(Params params, OutputFormat format) {
    const Use use(params);
    params->format = format == OutputFormat::rgb_interleaved;
    return Status::success;
}
STAND_IN_API Status nvjpegDecodeParamsSetROI(Params params, int x, int y, int width, int height) {
    const Use use(params);
    params->x = x;
    params->y = y;
    params->width = width;
    params->height = height;
    return Status::success;
}
STAND_IN_API Status nvjpegDecoderCreate(Handle, Backend backend, Decoder* decoder) {
    make(decoder);
    (*decoder)->backend = backend;
    return Status::success;
}
STAND_IN_API Status nvjpegDecoderDestroy(Decoder decoder) {
    return destroy(decoder);
}
STAND_IN_API Status nvjpegDecoderJpegSupported(Decoder decoder, Stream stream, Params params,
                                               int* unsupported) {
    const Use use(stream), other(params);
    const bool box = !params->whole();
    *unsupported = taken_by_hybrid(stream->size, decoder->backend) && !(box && boxes == 0) ? 0 : 1;
    return Status::success;
}
STAND_IN_API Status nvjpegBufferPinnedCreate(Handle, void*, PinnedBuffer* buffer) {
    return make(buffer);
}
STAND_IN_API Status nvjpegBufferPinnedDestroy(PinnedBuffer buffer) {
    return destroy(buffer);
}
STAND_IN_API Status nvjpegBufferDeviceCreate(Handle, void*, DeviceBuffer* buffer) {
    return make(buffer);
}
STAND_IN_API Status nvjpegBufferDeviceDestroy(DeviceBuffer buffer) {
    return destroy(buffer);
}
STAND_IN_API Status nvjpegStateAttachPinnedBuffer(State state, PinnedBuffer buffer) {
    const Use use(state);
    state->pinned = buffer;
    return Status::success;
}
STAND_IN_API Status nvjpegStateAttachDeviceBuffer(State state, DeviceBuffer buffer) {
    const Use use(state);
    state->device = buffer;
    return Status::success;
}
#if !defined(STAND_IN_INCOMPLETE)
STAND_IN_API Status nvjpegDecodeJpegHost(Handle handle, Decoder decoder, State state, Params params,
                                         Stream stream) {
    const Use use(state), other(stream), third(state->pinned), fourth(params);
    ++hybrid_calls;
    misuses += state->decoder != decoder || !params->format;
    state->phase = StateContents::idle;
    const Size& size = stream->size;
    if (!taken_by_hybrid(size, decoder->backend)) {
        return Status::jpeg_not_supported;
    }
    state->pinned->bytes.assign(static_cast<std::size_t>(size.width) * size.height * 3, 0);
    if (fails(stream->data, stream->bytes) ||
        !read_jpeg(stream->data, stream->bytes, handle->fancy, &state->size,
                   state->pinned->bytes.data())) {
        return Status::bad_jpeg;
    }
    const bool whole = params->whole();
    state->x = whole ? 0 : params->x;
    state->y = whole ? 0 : params->y;
    state->width = whole ? size.width : params->width;
    state->height = whole ? size.height : params->height;
    state->phase = StateContents::decoded;
    return Status::success;
}
#endif
STAND_IN_API Status nvjpegDecodeJpegTransferToDevice(Handle, Decoder, State state, Stream stream,
                                                     DeviceStream) {
    const Use use(state), other(stream), third(state->pinned), fourth(state->device);
    misuses += state->phase != StateContents::decoded;
    state->device->bytes = state->pinned->bytes;
    state->phase = StateContents::transferred;
    return Status::success;
}
STAND_IN_API Status nvjpegDecodeJpegDevice(Handle, Decoder, State state, Image* image,
                                           DeviceStream) {
    const Use use(state), other(state->device);
    misuses += state->phase != StateContents::transferred;
    state->phase = StateContents::idle;
    return put(state->device->bytes, state->size, state->x, state->y, state->width, state->height,
               *image);
}
STAND_IN_API Status nvjpegDecodeBatchedInitialize(Handle, State state, int count, int,
                                                  OutputFormat format) {
    const Use use(state);
    misuses += format != OutputFormat::rgb_interleaved || count < 1;
    state->batch = count;
    return Status::success;
}
STAND_IN_API Status nvjpegDecodeBatched(Handle handle, State state,
                                        const unsigned char* const* data, const std::size_t* bytes,
                                        Image* images, DeviceStream) {
    return decode_batch(handle, state, data, bytes, images, nullptr);
}
STAND_IN_API Status nvjpegDecodeBatchedSupported(Handle handle, Stream stream, int* unsupported) {
    return batch_supports(handle, stream, nullptr, unsupported);
}
#if !defined(STAND_IN_OLD)
STAND_IN_API Status nvjpegDecodeBatchedEx(Handle handle, State state,
                                          const unsigned char* const* data,
                                          const std::size_t* bytes, Image* images, Params* params,
                                          DeviceStream) {
    return decode_batch(handle, state, data, bytes, images, params);
}
STAND_IN_API Status nvjpegDecodeBatchedSupportedEx(Handle handle, Stream stream, Params params,
                                                   int* unsupported) {
    const Use use(params);
    return batch_supports(handle, stream, params, unsupported);
}
STAND_IN_API Status nvjpegGetHardwareDecoderInfo(Handle, unsigned* count, unsigned* cores) {
    *count = engines == 0 ? 0 : 1;
    *cores = 8;
    return Status::success;
}
STAND_IN_API Status nvjpegDecodeParamsSetExifOrientation(Params params, Orientation orientation) {
    const Use use(params);
    misuses += orientation != Orientation::normal;
    return Status::success;
}
#endif

}  // extern "C"
}  // namespace refpix::nvjpeg
