#include "kernels/image_color_jitter/rows_code.h"

namespace refpix::jitter::scalar {

const Pixels pixels = {run};

}  // namespace refpix::jitter::scalar
