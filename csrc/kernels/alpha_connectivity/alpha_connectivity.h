// Differences of connectivity, summed per region.
#pragma once

#include "kernels/alpha_pair.h"

namespace refpix {

struct AlphaConnectivity {
    AlphaPairs maps;
    int threads = 1;
    double* errors = nullptr;  // (count, 3)
};

namespace cpu {
Status alpha_connectivity(const AlphaConnectivity& args) noexcept;
}  // namespace cpu

}  // namespace refpix
