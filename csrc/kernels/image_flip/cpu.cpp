#include <cstring>

#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/image_flip/image_flip.h"
#include "kernels/image_flip/mirror.h"

namespace refpix::cpu {
namespace {

// A size known to the compiler makes a copy a move.
template <std::size_t PixelBytes>
void mirror_rest(const std::uint8_t* row, std::int64_t width, std::size_t pixel_bytes,
                 std::int64_t done, std::uint8_t* out) noexcept {
    const std::size_t size = PixelBytes != 0 ? PixelBytes : pixel_bytes;
    const auto step = static_cast<std::ptrdiff_t>(size);
    for (std::int64_t x = done; x < width; ++x) {
        std::memcpy(out + x * step, row + (width - 1 - x) * step, size);
    }
}

struct Mirror {
    flip::MirrorRow begin = nullptr;
    void (*rest)(const std::uint8_t*, std::int64_t, std::size_t, std::int64_t,
                 std::uint8_t*) noexcept = mirror_rest<0>;
};

Mirror mirror_for(std::int64_t pixel_bytes) noexcept {
    Mirror mirror;
    switch (pixel_bytes) {
        case 1:
            mirror.rest = mirror_rest<1>;
            break;
        case 3:
            mirror.rest = mirror_rest<3>;
            break;
        case 4:
            mirror.rest = mirror_rest<4>;
            break;
        case 12:
            mirror.rest = mirror_rest<12>;
            break;
        default:
            break;
    }
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx2) {
        mirror.begin = pixel_bytes == 1   ? flip::avx2::mirror_bytes
                       : pixel_bytes == 3 ? flip::avx2::mirror_rgb
                                          : nullptr;
    }
#endif
    return mirror;
}

void flip_item(const ImageFlip& args, const Mirror& mirror, std::int64_t item) noexcept {
    const std::int64_t row_bytes = args.row_bytes();
    const std::uint8_t* image = args.images + item * args.image_bytes();
    std::uint8_t* out = args.out + item * args.image_bytes();
    const bool across = (args.flips[item] & flip::horizontal) != 0;
    const bool down = (args.flips[item] & flip::vertical) != 0;
    if (!across && !down) {
        std::memcpy(out, image, static_cast<std::size_t>(args.image_bytes()));
        return;
    }
    for (std::int64_t y = 0; y < args.height; ++y) {
        const std::uint8_t* row = image + (down ? args.height - 1 - y : y) * row_bytes;
        std::uint8_t* to = out + y * row_bytes;
        if (across) {
            const std::int64_t done = mirror.begin ? mirror.begin(row, args.width, to) : 0;
            mirror.rest(row, args.width, static_cast<std::size_t>(args.pixel_bytes), done, to);
        } else {
            std::memcpy(to, row, static_cast<std::size_t>(row_bytes));
        }
    }
}

}  // namespace

Status image_flip(const ImageFlip& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = args.check(item);
        if (!status.ok()) {
            return status;
        }
    }
    if (args.image_bytes() == 0) {
        return {};
    }
    const Mirror mirror = mirror_for(args.pixel_bytes);
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { flip_item(args, mirror, item); });
    return {};
}

}  // namespace refpix::cpu
