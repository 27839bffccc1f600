// How differently two mattes change from frame to frame, summed per region.
#pragma once

#include "kernels/alpha_pair.h"

namespace refpix {

struct AlphaTemporal {
    AlphaPairs maps;          // frame by frame: count is frames * instances
    std::int64_t frames = 0;  // at least 1
    std::int64_t instances = 0;
    int threads = 1;
    std::int64_t* areas = nullptr;  // (frames - 1, instances, 3) pixels of the earlier frame
    double* squared = nullptr;      // likewise
};

namespace cpu {
Status alpha_temporal(const AlphaTemporal& args) noexcept;
}  // namespace cpu

}  // namespace refpix
