// nvJPEG's batched decoder on the JPEG engines: what one call to it needs.
#pragma once

#include <memory>
#include <vector>

#include "kernels/jpeg_decode/nvjpeg_lane.h"

namespace refpix::nvjpeg {

// How the engines take a picture.
enum class Taken : std::uint8_t { no, box, whole };

class Flight {
  public:
    // Null when memory or the library fails.
    static std::unique_ptr<Flight> create(const Api& api, Handle handle);
    ~Flight();

    bool busy() const noexcept { return !last_use_.over(); }
    // Gave room to one giant, and is not to keep it.
    bool bloated(std::int64_t limit) const noexcept {
        return staging_.bytes() > 2 * limit + (std::int64_t{64} << 20);
    }
    std::int64_t staging_bytes() const noexcept { return staging_.bytes(); }
    cudaError_t wait() noexcept { return last_use_.wait(); }

    // Makes room for decode parameters. Throws std::bad_alloc.
    Status prepare(std::int64_t count);

    // Whether the engines take picture `i`, by itself or as a whole to be cropped; leaves its
    // parameters set. Threads may ask for different pictures at once, each with its own stream
    // object.
    Taken supported(Stream parsed, const Picture& picture, std::int64_t i) noexcept;

    // Decodes and copies to where the pictures belong; `verdicts[i]` tells of each. At most `limit`
    // bytes of staging are used, unless a single picture needs more. Throws std::bad_alloc.
    cudaError_t decode(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                       std::int64_t limit, cudaStream_t stream, std::vector<Status>* verdicts);

  private:
    // What one call decodes: numbers of pictures, and where each lies in the staging memory.
    struct Load {
        std::vector<std::int64_t> items, places;
        std::int64_t bytes = 0;
    };

    Flight(const Api& api, Handle handle) noexcept : api_(api), handle_(handle) {}
    Status make();
    cudaError_t carry(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                      const Load& load, cudaStream_t stream, std::vector<Status>* verdicts);
    void submit(std::int64_t first, std::int64_t count, cudaStream_t stream,
                std::vector<Status>* verdicts);
    Status call(std::int64_t first, std::int64_t count, cudaStream_t stream) noexcept;
    cudaError_t deliver(const std::vector<Picture>& pictures, const std::vector<Taken>& taken,
                        const Load& load, const std::vector<Status>& verdicts,
                        cudaStream_t stream) noexcept;

    const Api& api_;
    const Handle handle_;
    Owned<State> state_;
    std::vector<Owned<Params>> params_;
    DeviceMemory staging_;
    LastUse last_use_;
    // The arguments of a call, by place within a load.
    std::vector<const unsigned char*> data_;
    std::vector<std::size_t> sizes_;
    std::vector<Image> images_;
    std::vector<Params> used_params_;
};

}  // namespace refpix::nvjpeg
