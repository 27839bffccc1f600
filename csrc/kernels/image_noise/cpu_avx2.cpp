#include "kernels/image_noise/rows_code.h"

namespace refpix::noise::avx2 {

const Rows rows = {run};

}  // namespace refpix::noise::avx2
