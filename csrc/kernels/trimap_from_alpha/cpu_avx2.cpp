#include "kernels/trimap_from_alpha/rows_code.h"

namespace refpix::trimap::avx2 {

const Rows<float> float_rows = floats;
const Rows<std::uint8_t> byte_rows = bytes;

}  // namespace refpix::trimap::avx2
