// The tiles of image_resize, written through the table of image_normalize.
#include <cstdint>

#include "kernels/image_normalize/cuda_table.h"
#include "kernels/image_resize/cuda_tiles.h"
#include "kernels/image_resize_normalize/image_resize_normalize.h"

namespace refpix::cuda {
namespace {

template <typename Convert, bool in_planes>
struct Numbers {
    using T = typename Convert::Type;
    static constexpr bool planes = in_planes;
    struct Shared {
        T table[table_entries];
    };
    T* out;
    float mean[3];
    float std[3];

    __device__ void open(Shared& shared) const {
        fill_shared_table<Convert>(mean, std, tiles::threads, shared.table);
    }

    __device__ void store(const Shared& shared, std::int64_t element, int channel,
                          std::uint32_t bytes, int count) const {
        T* at = out + element;
        T values[4];
#pragma unroll
        for (int k = 0; k < 4; ++k) {
            values[k] = shared.table[256 * channel + (bytes >> (8 * k) & 255u)];
            channel = planes ? channel : channel == 2 ? 0 : channel + 1;
        }
        store_up_to_four(at, values, count);
    }
};

template <typename Convert, bool in_planes>
int resize_into_numbers(const ImageResizeRun& run, const Normalization& to,
                        DeviceStream stream) noexcept {
    Numbers<Convert, in_planes> output{static_cast<typename Convert::Type*>(to.out), {}, {}};
    for (int channel = 0; channel < 3; ++channel) {
        output.mean[channel] = to.mean[channel];
        output.std[channel] = to.std[channel];
    }
    return tiles::resize_into<3>(run, output, stream);
}

template <typename Convert>
int resize_into_layout(const ImageResizeRun& run, const Normalization& to,
                       DeviceStream stream) noexcept {
    return to.channels_last ? resize_into_numbers<Convert, false>(run, to, stream)
                            : resize_into_numbers<Convert, true>(run, to, stream);
}

}  // namespace

int image_resize_normalize(const ImageResizeRun& run, const Normalization& normalization,
                           DeviceStream stream) noexcept {
    switch (normalization.type) {
        case NormalizeType::float32:
            return resize_into_layout<normalize::Float32>(run, normalization, stream);
        case NormalizeType::float16:
            return resize_into_layout<normalize::Float16>(run, normalization, stream);
        case NormalizeType::bfloat16:
            break;
    }
    return resize_into_layout<normalize::BFloat16>(run, normalization, stream);
}

}  // namespace refpix::cuda
