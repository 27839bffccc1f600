// A window of each picture, all of one size.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/status.h"

namespace refpix {

struct ImageCrop {
    const std::uint8_t* images = nullptr;  // (count, in_height, in_width) pixels
    std::int64_t count = 0;
    std::int64_t in_height = 0;
    std::int64_t in_width = 0;
    std::int64_t pixel_bytes = 3;
    const std::int64_t* corners = nullptr;  // (count, 2): y, x of the window's first pixel
    std::int64_t height = 0;                // of the window
    std::int64_t width = 0;
    bool padded = false;     // windows may lie outside
    std::uint32_t fill = 0;  // four bytes of what is there, from the row's first byte on
    int threads = 1;
    std::uint8_t* out = nullptr;  // (count, height, width) pixels

    REFPIX_HD Status check(std::int64_t item) const noexcept {
        const std::int64_t y = corners[2 * item];
        const std::int64_t x = corners[2 * item + 1];
        const bool inside = y >= 0 && x >= 0 && y <= in_height - height && x <= in_width - width;
        return padded || inside ? Status{} : Status{Fault::image_bad_roi, item, -1};
    }
};

namespace crop {

// A row of a window: bytes start..stop-1 are the picture's, from `source` on; the rest is filled.
struct Row {
    const std::uint8_t* source;
    std::int64_t start;
    std::int64_t stop;
};

// Pixels start..stop-1 of a window's `length` from `corner` on lie within 0..in-1.
REFPIX_HD inline void overlap(std::int64_t corner, std::int64_t length, std::int64_t in,
                              std::int64_t* start, std::int64_t* stop) noexcept {
    *start = *stop = 0;
    if (corner > -length && corner < in) {
        *start = corner < 0 ? -corner : 0;
        *stop = in - corner < length ? in - corner : length;
    }
}

REFPIX_HD inline Row row_of(const ImageCrop& args, std::int64_t item, std::int64_t y) noexcept {
    const std::int64_t top = args.corners[2 * item];
    const std::int64_t left = args.corners[2 * item + 1];
    std::int64_t first_row, stop_row, start, stop;
    overlap(top, args.height, args.in_height, &first_row, &stop_row);
    overlap(left, args.width, args.in_width, &start, &stop);
    if (y < first_row || y >= stop_row || start == stop) {
        return {args.images, 0, 0};
    }
    const std::int64_t pixel = (item * args.in_height + top + y) * args.in_width + left + start;
    return {args.images + pixel * args.pixel_bytes, start * args.pixel_bytes,
            stop * args.pixel_bytes};
}

}  // namespace crop

namespace cpu {
Status image_crop(const ImageCrop& args) noexcept;
}  // namespace cpu

namespace cuda {

// All pointers but `fault` as above, on the device; `threads` is ignored.
struct ImageCropRun {
    ImageCrop args;
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};
int image_crop(const ImageCropRun& run, DeviceStream stream) noexcept;  // a cudaError_t

}  // namespace cuda

}  // namespace refpix
