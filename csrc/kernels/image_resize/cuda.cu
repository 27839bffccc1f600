// cuda_tiles.h has it all; here the tiles become bytes.
#include <cstdint>

#include "kernels/image_resize/cuda_tiles.h"

namespace refpix::cuda {
namespace {

struct Bytes {
    static constexpr bool planes = false;
    struct Shared {};
    std::uint8_t* out;

    __device__ void open(Shared&) const {}

    __device__ void store(const Shared&, std::int64_t element, int, std::uint32_t bytes,
                          int count) const {
        std::uint8_t* at = out + element;
        if (count == 4 && reinterpret_cast<std::uintptr_t>(at) % 4 == 0) {
            *reinterpret_cast<std::uint32_t*>(at) = bytes;
            return;
        }
        for (int k = 0; k < count; ++k) {
            at[k] = static_cast<std::uint8_t>(bytes >> (8 * k));
        }
    }
};

}  // namespace

int image_resize(const ImageResizeRun& run, DeviceStream stream) noexcept {
    const Bytes output{run.args.out};
    return run.args.channels == 1 ? tiles::resize_into<1>(run, output, stream)
                                  : tiles::resize_into<3>(run, output, stream);
}

}  // namespace refpix::cuda
