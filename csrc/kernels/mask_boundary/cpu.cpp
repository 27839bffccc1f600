#include <algorithm>
#include <cmath>
#include <exception>
#include <vector>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/mask_boundary/erode.h"
#include "kernels/mask_boundary/mask_boundary.h"

namespace refpix {
namespace boundary {
namespace {

struct Bits {
    static bool pack(const std::uint8_t* pixels, std::int64_t width, std::uint64_t* words) {
        std::uint64_t any = 0;
        for (std::int64_t x = 0; x < width; x += 64) {
            const std::uint64_t word =
                Tail<Bits>::pack(pixels + x, std::min<std::int64_t>(width - x, 64));
            words[x / 64] = word;
            any |= word;
        }
        return any != 0;
    }
    static void unpack(const std::uint64_t* words, std::int64_t width, std::uint8_t* out) {
        for (std::int64_t x = 0; x < width; x += 64) {
            Tail<Bits>::unpack(words[x / 64], std::min<std::int64_t>(width - x, 64), out + x);
        }
    }
};

Boundary* path() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return avx512::boundary;
    }
    if (active_isa() >= Isa::avx2) {
        return avx2::boundary;
    }
#endif
    return scalar::boundary;
}

std::int64_t distance_of(const MaskBoundary& args) noexcept {
    if (args.distance >= 0) {
        return args.distance;
    }
    const auto height = static_cast<double>(args.height);
    const auto width = static_cast<double>(args.width);
    const double found = std::nearbyint(args.ratio * std::sqrt(height * height + width * width));
    return static_cast<std::int64_t>(std::clamp(found, 1.0, 0x1p62));
}

// No pixel is further from the outside than the distance: all of the mask is boundary.
void copy_mask(const Picture& picture) noexcept {
    for (std::int64_t i = 0; i < picture.height * picture.width; ++i) {
        picture.out[i] = picture.mask[i] != 0;
    }
}

void draw(Picture picture) {
    if (picture.distance >= (picture.height + 1) / 2 ||
        picture.distance >= (picture.width + 1) / 2) {
        copy_mask(picture);
        return;
    }
    thread_local std::vector<std::uint64_t> words;
    const auto wanted = static_cast<std::size_t>(scratch_words(picture.height, picture.width));
    if (words.size() < wanted) {
        words.resize(wanted);
    }
    picture.words = words.data();
    path()(picture);
    if (words.capacity() > std::size_t{16 << 20} / sizeof words[0]) {
        std::vector<std::uint64_t>().swap(words);
    }
}

}  // namespace

namespace scalar {

void boundary(const Picture& picture) noexcept {
    Erosion<Bits>::run(picture);
}

}  // namespace scalar
}  // namespace boundary

namespace cpu {

Status mask_boundary(const MaskBoundary& args) noexcept {
    const std::int64_t distance = boundary::distance_of(args);
    const std::int64_t pixels = args.height * args.width;
    FirstFault faults;
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        boundary::Picture picture;
        picture.mask = args.masks + item * pixels;
        picture.out = args.out + item * pixels;
        picture.height = args.height;
        picture.width = args.width;
        picture.distance = distance;
        try {
            boundary::draw(picture);
        } catch (const std::exception&) {  // bad_alloc, or length_error from a vector
            faults.report({Fault::out_of_memory, item, -1});
        }
    });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
