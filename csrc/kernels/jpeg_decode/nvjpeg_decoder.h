// Batches of JPEGs through nvJPEG, on one device.
//
// Two ways. The JPEG engines ("hardware") take a list of files in one call. They do not keep to
// the order of a stream: nvjpegDecodeBatched writes its output while work that was enqueued before
// is still running (seen on H100 by others, with 12.3 to 13.2). So they write into memory of a
// flight, a call's own set of states and buffers, which is used again only when the host has seen
// its last event; copies bring the pixels, in the stream's order, to where they are wanted.
// Everything else ("hybrid") goes one by one through lanes: host work on CPU threads, the rest in
// the stream's order, straight to where it is wanted.
//
// Flights and lanes are pooled, and grow to what runs at once. All of it is used under the caller's
// stream, and any number of threads may call decode().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/device.h"
#include "core/spans.h"
#include "kernels/jpeg_decode/nvjpeg_library.h"

namespace refpix::nvjpeg {

struct DecoderOptions {
    int device = 0;
    bool hardware = true;  // use the JPEG engines if there are any
    int threads = 1;       // for host work, at most
    std::int64_t staging_bytes = std::int64_t{512}
                                 << 20;  // of a flight, unless one picture is larger
};

// What a file can be decoded by; as in route.h.
inline constexpr std::uint8_t engine_none = 0, engine_hybrid = 2, engine_hardware = 3;

struct Batch {
    Spans files;                             // up to and with their end-of-image marker
    const std::int64_t* pictures = nullptr;  // (count, 2): height and width of the whole picture
    const std::int64_t* sizes = nullptr;     // (count, 2): of what is wanted of it
    const std::int64_t* roi = nullptr;       // (count, 4) x0, y0, x1, y1, or null: all
    const std::uint8_t* engines = nullptr;   // (count,) what to try; others than the two are left
    const std::int64_t* offsets = nullptr;   // (count,) into pixels
    std::uint8_t* pixels = nullptr;          // on the device
    std::uint8_t* done = nullptr;            // (count,) filled: what has decoded it, or none
};

// How much of everything there is; for tests that look for leaks.
struct Pools {
    std::int64_t flights = 0, lanes = 0;
    std::int64_t staging_bytes = 0;
};

class BatchDecoder {
  public:
    // Null, and why in `error`.
    static std::unique_ptr<BatchDecoder> create(std::shared_ptr<const Library> library,
                                                const DecoderOptions& options, std::string* error);
    ~BatchDecoder();  // close()
    BatchDecoder(const BatchDecoder&) = delete;
    BatchDecoder& operator=(const BatchDecoder&) = delete;

    bool has_hardware() const noexcept;
    const Library& library() const noexcept;

    // Returns a CUDA error, 0 for success. An item that nvJPEG refuses or fails on is none; it has
    // engine_none in `done`, and its pixels are undefined.
    int decode(const Batch& batch, DeviceStream stream) noexcept;

    // Waits for what is enqueued and gives everything back. Afterwards nothing is decoded any more.
    void close() noexcept;

    Pools pools() const;

  private:
    struct Contents;
    explicit BatchDecoder(std::unique_ptr<Contents> contents);
    std::unique_ptr<Contents> contents_;
};

}  // namespace refpix::nvjpeg
