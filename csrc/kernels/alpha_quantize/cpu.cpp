#include <cstring>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/alpha_quantize/alpha_quantize.h"

namespace refpix::cpu {
namespace {

// False when a value is not in 0..1 (NaN is not); `out` is undefined then. The compiler makes
// vectors of it, and wider ones gain nothing: memory is what takes the time. Values outside are
// taken as 0, so that the conversion is defined.
template <typename T>
bool quantize_row(const T* values, std::int64_t count, std::uint8_t* out) noexcept {
    std::int32_t wrong = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        const bool fine = (values[i] >= T(0)) & (values[i] <= T(1));
        wrong |= fine ? 0 : 1;
        out[i] = static_cast<std::uint8_t>(
            static_cast<std::int32_t>((fine ? values[i] : T(0)) * T(255)));
    }
    return wrong == 0;
}

template <typename T>
Status quantize_plane(const AlphaQuantize& args, std::int64_t item) noexcept {
    const alpha::Box box = alpha::box_of(args.boxes, item, args.height, args.width);
    const std::int64_t pixels = args.height * args.width;
    const T* plane = static_cast<const T*>(args.planes) + item * pixels;
    std::uint8_t* out = args.out + item * pixels;
    if (args.boxes != nullptr) {
        std::memset(out, 0, static_cast<std::size_t>(pixels));
    }
    for (std::int64_t y = box.y0; y < box.y1; ++y) {
        const std::int64_t start = y * args.width + box.x0;
        const std::int64_t count = box.x1 - box.x0;
        if (quantize_row(plane + start, count, out + start)) {
            continue;
        }
        std::int64_t i = start;
        while (plane[i] >= T(0) && plane[i] <= T(1)) {
            ++i;
        }
        return {Fault::alpha_out_of_range, item, i * static_cast<std::int64_t>(sizeof(T))};
    }
    return {};
}

}  // namespace

Status alpha_quantize(const AlphaQuantize& args) noexcept {
    const Status checked = alpha::check_boxes(args.boxes, args.count, args.height, args.width);
    if (!checked.ok()) {
        return checked;
    }
    FirstFault faults;
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        faults.report(args.type == alpha::PlaneType::float32 ? quantize_plane<float>(args, item)
                                                             : quantize_plane<double>(args, item));
    });
    return faults.status();
}

}  // namespace refpix::cpu
