#include "core/rle.h"

namespace refpix {

bool mask_size_ok(std::int64_t height, std::int64_t width) noexcept {
    std::int64_t pixels;
    return height >= 0 && width >= 0 && !__builtin_mul_overflow(height, width, &pixels) &&
           pixels < std::int64_t{1} << 62;
}

Status check_mask_sizes(const std::int64_t* sizes, std::int64_t count) noexcept {
    for (std::int64_t i = 0; i < count; ++i) {
        if (!mask_size_ok(sizes[2 * i], sizes[2 * i + 1])) {
            return {Fault::rle_bad_size, i, -1};
        }
    }
    return {};
}

Status Rles::check_offsets() const noexcept {
    if (offsets[0] != 0 || offsets[count] != size) {
        return {Fault::rle_bad_offsets, -1, -1};
    }
    for (std::int64_t i = 0; i < count; ++i) {
        if (offsets[i + 1] < offsets[i] || offsets[i + 1] > size) {
            return {Fault::rle_bad_offsets, i, -1};
        }
    }
    return {};
}

Status Rles::check() const noexcept {
    const Status bounds = check_offsets();
    return bounds.ok() ? check_mask_sizes(sizes, count) : bounds;
}

Status Rles::check_item(std::int64_t i) const noexcept {
    const Rle mask = item(i);
    // 2^31 runs of 2^32 - 1 would be needed for the sum to wrap; an array of so many is checked
    // in pieces that cannot.
    std::int64_t sum = 0;
    for (std::int64_t run = 0; run < mask.runs;) {
        const std::int64_t stop = mask.runs - run < 65536 ? mask.runs : run + 65536;
        for (; run < stop; ++run) {
            sum += mask.counts[run];
        }
        if (sum > mask.pixels()) {
            return {Fault::rle_too_long, i, -1};
        }
    }
    if (sum < mask.pixels()) {
        return {Fault::rle_too_short, i, -1};
    }
    return {};
}

}  // namespace refpix
