// Absolute and squared differences of mattes, summed per region.
#pragma once

#include "kernels/alpha_pair.h"

namespace refpix {

struct AlphaErrors {
    AlphaPairs maps;
    int threads = 1;
    std::int64_t* areas = nullptr;  // (count, 3) pixels of each label
    double* absolute = nullptr;     // (count, 3)
    double* squared = nullptr;      // (count, 3)
};

namespace cpu {
Status alpha_errors(const AlphaErrors& args) noexcept;
}  // namespace cpu

}  // namespace refpix
