#include "kernels/image_color_jitter/rows_code.h"

namespace refpix::jitter::avx2 {

const Pixels pixels = {run};

}  // namespace refpix::jitter::avx2
