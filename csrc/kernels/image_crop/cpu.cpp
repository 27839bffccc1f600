#include <cstring>

#include "core/thread_pool.h"
#include "kernels/image_crop/image_crop.h"

namespace refpix::cpu {
namespace {

// Bytes start..stop-1 of a row, beginning with a whole pixel: so the pattern begins anew.
void fill_bytes(std::uint8_t* row, std::int64_t start, std::int64_t stop,
                std::uint32_t fill) noexcept {
    if (fill % 256 * 0x01010101u == fill) {
        std::memset(row + start, static_cast<int>(fill & 255),
                    static_cast<std::size_t>(stop - start));
        return;
    }
    for (std::int64_t i = start; i < stop; i += 4) {  // other patterns are of 4-byte numbers
        std::memcpy(row + i, &fill, 4);
    }
}

void crop_item(const ImageCrop& args, std::int64_t item) noexcept {
    const std::int64_t row_bytes = args.width * args.pixel_bytes;
    for (std::int64_t y = 0; y < args.height; ++y) {
        const crop::Row row = crop::row_of(args, item, y);
        std::uint8_t* out = args.out + (item * args.height + y) * row_bytes;
        fill_bytes(out, 0, row.start, args.fill);
        std::memcpy(out + row.start, row.source, static_cast<std::size_t>(row.stop - row.start));
        fill_bytes(out, row.stop, row_bytes, args.fill);
    }
}

}  // namespace

Status image_crop(const ImageCrop& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = args.check(item);
        if (!status.ok()) {
            return status;
        }
    }
    if (args.pixel_bytes != 0) {
        parallel_for(args.count, args.threads, [&](std::int64_t item) { crop_item(args, item); });
    }
    return {};
}

}  // namespace refpix::cpu
