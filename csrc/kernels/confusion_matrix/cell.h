// The cell that a pixel counts for, and what is wrong with one that has none, shared by cpu.cpp and
// cuda.cu.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/confusion_matrix/confusion_matrix.h"

namespace refpix::confusion {

// The flat index is all that decides: a prediction of num_labels counts for column 0 of the next
// row, and an index past the end counts for nothing, as it does with the published bincount.
// static: no instruction set's copy may stand in for another's.
REFPIX_HD static inline std::int64_t cell(std::int64_t gt, std::int64_t pred,
                                          std::int64_t num_labels) {
    return gt * num_labels + pred;
}

REFPIX_HD static inline Status fault_at(const ConfusionMatrix& args, std::int64_t pixel) {
    const std::int64_t bytes =
        args.gt_is_byte ? 1 : static_cast<std::int64_t>(sizeof(std::int32_t));
    return {Fault::label_negative, pixel / args.item_pixels, pixel % args.item_pixels * bytes};
}

}  // namespace refpix::confusion
