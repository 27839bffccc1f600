#include "kernels/alpha_errors/map_code.h"

namespace refpix::scalar {

bool alpha_errors_map(const AlphaErrorsMap& map) noexcept {
    return errors_of_map(map);
}

}  // namespace refpix::scalar
