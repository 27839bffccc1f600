// cuda_nearest.h makes the tiles. A label that does not fit is noticed by the thread that writes
// it; of several the lowest place in `out` counts, which is the item and pixel that the CPU names.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_nearest.h"
#include "kernels/label_zoom/label_zoom.h"
#include "kernels/label_zoom/sources.h"

namespace refpix::cuda {
namespace {

struct Check {
    LabelZoom args;

    REFPIX_HD Status operator()(std::int64_t item) const { return zoom::check_item(args, item); }
};

struct Geometry {
    std::int64_t start;
    std::int64_t width;
    zoom::Sources down, across;
};

template <typename T>
struct Maps {
    using Value = std::int32_t;
    LabelZoom args;
    std::int64_t* first_bad;  // item, then place in `out` of a label that is too large
    std::int32_t* out;
    std::int64_t count, height, width;

    __device__ bool stopped() const { return first_bad[0] < count; }

    REFPIX_HD Geometry geometry(std::int64_t item) const {
        return {args.offsets[item], args.sizes[2 * item + 1],
                zoom::Sources(args.rule, args.sizes[2 * item], height),
                zoom::Sources(args.rule, args.sizes[2 * item + 1], width)};
    }

    REFPIX_HD std::int64_t row(const Geometry& of, std::int64_t y) const {
        const std::int64_t source = of.down.of(y);
        return source < 0 ? -1 : of.start + source * of.width;
    }

    REFPIX_HD std::int32_t column(const Geometry& of, std::int64_t x) const {
        return static_cast<std::int32_t>(of.across.of(x));
    }

    __device__ std::int32_t value(std::int64_t from, std::int64_t to) const {
        const T label = static_cast<const T*>(args.values)[from];
        const auto value = static_cast<std::int32_t>(label);
        if constexpr (sizeof(T) > sizeof(std::int32_t)) {
            if (value != label) {
                atomicMin(reinterpret_cast<long long*>(first_bad + 1), static_cast<long long>(to));
            }
        }
        return value;
    }

    // What is wrong with the label that was to go there.
    REFPIX_HD Status operator()(std::int64_t place) const {
        const std::int64_t item = place / (height * width);
        const Geometry of = geometry(item);
        const std::int64_t from =
            row(of, place / width % height) - of.start + column(of, place % width);
        return {Fault::label_too_large, item, from * static_cast<std::int64_t>(sizeof(T))};
    }
};

template <typename T>
int zoom_labels(const LabelZoomRun& run, DeviceStream stream) noexcept {
    const LabelZoom& args = run.args;
    const Maps<T> maps{args, run.first_bad, args.out, args.count, args.height, args.width};
    return run_checked(Check{args}, args.count, run.first_bad, run.fault, stream, [&] {
        std::int64_t* first_large = run.first_bad + 1;
        cudaError_t error =
            cudaMemsetAsync(first_large, no_item_byte, sizeof(std::int64_t), stream);
        if (error == cudaSuccess) {
            error = nearest_tiles::fill(maps, stream);
        }
        if (error == cudaSuccess && sizeof(T) > sizeof(std::int32_t)) {
            error = name_fault(maps, args.count * args.height * args.width, first_large, run.fault,
                               stream);
        }
        return error;
    });
}

}  // namespace

int label_zoom(const LabelZoomRun& run, DeviceStream stream) noexcept {
    switch (run.args.type) {
        case LabelType::uint8:
            return zoom_labels<std::uint8_t>(run, stream);
        case LabelType::int16:
            return zoom_labels<std::int16_t>(run, stream);
        case LabelType::int32:
            return zoom_labels<std::int32_t>(run, stream);
        case LabelType::int64:
            break;
    }
    return zoom_labels<std::int64_t>(run, stream);
}

}  // namespace refpix::cuda
