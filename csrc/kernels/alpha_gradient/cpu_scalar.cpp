#define REFPIX_LANES 4
#include "kernels/alpha_gradient/passes_code.h"

namespace refpix::gradient::scalar {

bool extent(const float* values, std::int64_t count, float* low, float* high) noexcept {
    return extent_of(values, count, low, high);
}

bool trimap_fits(const std::uint8_t* labels, std::int64_t count) noexcept {
    return outside(labels, count) == 0;
}

void sum_map(const Map& map) noexcept {
    sum_of_map(map);
}

}  // namespace refpix::gradient::scalar
