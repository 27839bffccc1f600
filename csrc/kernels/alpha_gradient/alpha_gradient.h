// Squared differences of gradient magnitudes, summed per region.
#pragma once

#include "kernels/alpha_pair.h"

namespace refpix {

enum class AlphaNormalize : int { none, map, batch };
enum class AlphaPadding : int { zero, edge };

struct AlphaGradient {
    AlphaPairs maps;
    AlphaNormalize normalize = AlphaNormalize::none;
    AlphaPadding padding = AlphaPadding::zero;
    int threads = 1;
    double* squared = nullptr;  // (count, 3)
};

// A Gaussian of sigma 1.4 and its derivative, cut where the Gaussian falls below 0.01, each divided
// by its norm. Centre first: the first is symmetric, the second antisymmetric.
inline constexpr int gradient_radius = 4;
inline constexpr float gradient_smooth[] = {0.63481766F, 0.491880506F, 0.228818625F, 0.0639064014F,
                                            0.0107156495F};
inline constexpr float gradient_derivative[] = {0.0F, -0.496888667F, -0.462296784F, -0.193671212F,
                                                -0.0432990082F};

namespace cpu {
Status alpha_gradient(const AlphaGradient& args) noexcept;
}  // namespace cpu

}  // namespace refpix
