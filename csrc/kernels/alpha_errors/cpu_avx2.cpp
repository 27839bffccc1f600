#include "kernels/alpha_errors/map_code.h"

namespace refpix::avx2 {

bool alpha_errors_map(const AlphaErrorsMap& map) noexcept {
    return errors_of_map(map);
}

}  // namespace refpix::avx2
