#include "kernels/alpha_temporal/change_code.h"

namespace refpix::avx2 {

bool alpha_change(const AlphaChange& change) noexcept {
    return sum_change(change);
}

}  // namespace refpix::avx2
