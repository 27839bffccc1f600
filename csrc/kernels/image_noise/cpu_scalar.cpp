#include "kernels/image_noise/rows_code.h"

namespace refpix::noise::scalar {

const Rows rows = {run};

}  // namespace refpix::noise::scalar
