// nvJPEG's decoupled decoder: one picture at a time, part on the host, part on the device.
#pragma once

#include <memory>

#include "kernels/jpeg_decode/nvjpeg_resources.h"

namespace refpix::nvjpeg {

// One picture of a batch.
struct Picture {
    const std::uint8_t* data;
    std::size_t size;
    std::int64_t height, width;  // of the whole
    const std::int64_t* box;     // x0, y0, x1, y1, or null
    std::int64_t rows, columns;  // of what is wanted
    std::uint8_t* out;           // on the device, RGB
};

// From a whole picture to a box of it, or all of it; in the stream's order.
cudaError_t copy_box(const Picture& picture, const std::uint8_t* whole,
                     cudaStream_t stream) noexcept;

class Lane {
  public:
    // Null when memory or the library fails.
    static std::unique_ptr<Lane> create(const Api& api, Handle handle);
    ~Lane();

    bool busy() const noexcept { return !last_use_.over(); }
    // Gave room to one giant, and is not to keep it.
    bool bloated() const noexcept { return bloated_; }
    std::int64_t staging_bytes() const noexcept { return staging_.bytes(); }

    // Waits until the lane is free, does the host's part and enqueues the device's. The CUDA error
    // is that of our own calls.
    Status decode(const Picture& picture, cudaStream_t stream, cudaError_t* error) noexcept;

  private:
    // A way to decode, and a state for it.
    struct Way {
        Owned<Decoder> decoder;
        Owned<State> state;
    };

    Lane(const Api& api, Handle handle) noexcept : api_(api), handle_(handle) {}
    Status make();
    Status choose(const Picture& picture, Way** way) noexcept;
    Status run(Way& way, const Picture& picture, bool whole, cudaStream_t stream,
               cudaError_t* error) noexcept;

    const Api& api_;
    const Handle handle_;
    Owned<Stream> parsed_;
    Owned<Params> params_;
    Owned<PinnedBuffer> pinned_;
    Owned<DeviceBuffer> device_;
    Way host_, gpu_;        // Huffman codes on the host, on the device
    DeviceMemory staging_;  // a whole picture of which a box is wanted
    LastUse last_use_;
    bool bloated_ = false;
};

}  // namespace refpix::nvjpeg
