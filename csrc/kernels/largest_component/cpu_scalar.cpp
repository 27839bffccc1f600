#include "kernels/largest_component/row_code.h"

namespace refpix::component::scalar {

bool pack(const Row& row) noexcept {
    return pack_row(row);
}

}  // namespace refpix::component::scalar
