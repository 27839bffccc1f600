// The counting loop, compiled once per instruction set.
#pragma once

#include <cstdint>

#include "kernels/confusion_matrix/confusion_matrix.h"

namespace refpix::confusion {

// Neighbouring pixels mostly share a cell, and an increment waits for the one before it when both
// hit the same address: pixels take turns over this many histograms.
inline constexpr std::int64_t lanes = 4;

// What one thread counts.
struct Slice {
    std::int64_t first = 0;
    std::int64_t last = 0;
    std::int64_t lane_stride = 0;    // 0: one histogram for all lanes
    std::int64_t* counts = nullptr;  // (lanes, num_labels^2) or (num_labels^2,)
};

// First pixel with a negative cell, or -1.
using Count = std::int64_t(const ConfusionMatrix& args, const Slice& slice) noexcept;

}  // namespace refpix::confusion

namespace refpix::avx2 {
confusion::Count confusion_count;
}
namespace refpix::avx512 {
confusion::Count confusion_count;
}
