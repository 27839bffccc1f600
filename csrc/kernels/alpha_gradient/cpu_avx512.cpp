#define REFPIX_LANES 16
#include "kernels/alpha_gradient/passes_code.h"

namespace refpix::gradient::avx512 {

void sum_map(const Map& map) noexcept {
    sum_of_map(map);
}

}  // namespace refpix::gradient::avx512
