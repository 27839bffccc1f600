// Binary masks as COCO run lengths, many end to end: counts down the columns, background first.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

// One mask. Its runs sum to `pixels` once Rles::check_item said so.
struct Rle {
    const std::uint32_t* counts = nullptr;
    std::int64_t runs = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;

    std::int64_t pixels() const noexcept { return height * width; }
};

struct Rles {
    const std::uint32_t* counts = nullptr;
    std::int64_t size = 0;                  // elements of counts
    const std::int64_t* offsets = nullptr;  // (count + 1,)
    const std::int64_t* sizes = nullptr;    // (count, 2): height, width
    std::int64_t count = 0;

    Rle item(std::int64_t i) const noexcept {
        return {counts + offsets[i], offsets[i + 1] - offsets[i], sizes[2 * i], sizes[2 * i + 1]};
    }

    // Offsets ascend from 0 to size.
    Status check_offsets() const noexcept;
    // And no size overflows. Call it before item().
    Status check() const noexcept;
    // The runs of one item sum to its height * width.
    Status check_item(std::int64_t i) const noexcept;
};

// What a call on a device takes: the lengths of so many runs sum to less than 2^63.
inline constexpr std::int64_t most_device_runs = (std::int64_t{1} << 31) - 1;

// Height and width are not negative and their product is below 2^62, which leaves room to add runs
// before they are compared with it.
bool mask_size_ok(std::int64_t height, std::int64_t width) noexcept;

// check() for sizes alone, as kernels that make masks get them.
Status check_mask_sizes(const std::int64_t* sizes, std::int64_t count) noexcept;

}  // namespace refpix
