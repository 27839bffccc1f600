// The place of one item in a batch, which fused kernels fill row by row as a resizer emits them.
#pragma once

#include "kernels/image_normalize/rows.h"

namespace refpix::normalize {

struct Slot {
    const Table& table;
    RowFunctions rows;
    char* out;  // of the item
    std::int64_t height;
    std::int64_t width;
    bool channels_last;
    std::ptrdiff_t plane_stride = 0;  // of rows that come as planes

    // Rows come as planes of bytes, or with channels last as RGBRGB...
    static void emit(void* context, std::int64_t y, const std::uint8_t* row) {
        const auto& slot = *static_cast<const Slot*>(context);
        const std::int64_t bytes = element_bytes(slot.table.type);
        if (slot.channels_last) {
            slot.rows.normalize_pixels(slot.table, row, slot.width,
                                       slot.out + y * slot.width * 3 * bytes);
            return;
        }
        for (int c = 0; c < 3; ++c) {
            slot.rows.normalize(slot.table, c, row + c * slot.plane_stride, slot.width,
                                slot.out + (c * slot.height + y) * slot.width * bytes);
        }
    }
};

// Of an item of a batch that begins at `batch`.
inline Slot slot_of(const Table& table, void* batch, std::int64_t item, std::int64_t height,
                    std::int64_t width, bool channels_last) noexcept {
    return {table,
            row_functions(active_isa()),
            static_cast<char*>(batch) + item * 3 * height * width * element_bytes(table.type),
            height,
            width,
            channels_last};
}

}  // namespace refpix::normalize
