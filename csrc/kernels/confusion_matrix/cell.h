// The cell that a pixel counts for, shared by cpu.cpp and cuda.cu.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace refpix::confusion {

// The flat index is all that decides: a prediction of num_labels counts for column 0 of the next
// row, and an index past the end counts for nothing, as it does with the published bincount.
// static: no instruction set's copy may stand in for another's.
REFPIX_HD static inline std::int64_t cell(std::int64_t gt, std::int64_t pred,
                                          std::int64_t num_labels) {
    return gt * num_labels + pred;
}

}  // namespace refpix::confusion
