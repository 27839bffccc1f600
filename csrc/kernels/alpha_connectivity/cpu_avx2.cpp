#include "kernels/alpha_connectivity/rows_code.h"

namespace refpix::connectivity::avx2 {

const Rows rows = {levels_of, reaching_level, add_errors};

}  // namespace refpix::connectivity::avx2
