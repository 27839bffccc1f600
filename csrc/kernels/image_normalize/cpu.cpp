#include <new>
#include <vector>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/image_normalize/slot.h"

namespace refpix::cpu {
namespace {

// Rows of a band go through one scratch row, which stays in cache.
constexpr std::int64_t band_rows = 64;

const std::uint8_t* source_row(const ImageNormalize& args, std::int64_t item, std::int64_t y) {
    return args.images + item * args.image_stride_bytes + y * args.row_stride_bytes;
}

void normalize_pixels(const ImageNormalize& args, normalize::Slot& slot, std::int64_t item,
                      std::int64_t first, std::int64_t last) {
    for (std::int64_t y = first; y < last; ++y) {
        normalize::Slot::emit(&slot, y, source_row(args, item, y));
    }
}

void normalize_planes(const ImageNormalize& args, normalize::Slot& slot, std::int64_t item,
                      std::int64_t first, std::int64_t last) {
    slot.plane_stride = (args.width + 127) / 64 * 64;
    thread_local std::vector<std::uint8_t> planes;
    if (planes.size() < static_cast<std::size_t>(3 * slot.plane_stride)) {
        planes.resize(3 * slot.plane_stride);
    }
    for (std::int64_t y = first; y < last; ++y) {
        slot.rows.deinterleave(source_row(args, item, y), args.width, planes.data(),
                               slot.plane_stride);
        normalize::Slot::emit(&slot, y, planes.data());
    }
}

Status normalize_band(const ImageNormalize& args, const normalize::Table& table, std::int64_t item,
                      std::int64_t first) noexcept {
    try {
        normalize::Slot slot =
            normalize::slot_of(table, args.out, item, args.height, args.width, args.channels_last);
        const std::int64_t last = first + band_rows < args.height ? first + band_rows : args.height;
        (args.channels_last ? normalize_pixels : normalize_planes)(args, slot, item, first, last);
        return {};
    } catch (const std::bad_alloc&) {
        return {Fault::out_of_memory, item, -1};
    }
}

}  // namespace

Status image_normalize(const ImageNormalize& args) noexcept {
    const normalize::Table table = normalize::make_table(args.mean, args.std, args.type);
    const std::int64_t bands = (args.height + band_rows - 1) / band_rows;
    FirstFault faults;
    parallel_for(args.count * bands, args.threads, [&](std::int64_t i) {
        faults.report(normalize_band(args, table, i / bands, i % bands * band_rows));
    });
    return faults.status();
}

}  // namespace refpix::cpu
