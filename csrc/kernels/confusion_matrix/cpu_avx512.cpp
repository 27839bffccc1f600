#include "kernels/confusion_matrix/cell.h"
#include "kernels/confusion_matrix/count.h"

namespace refpix::avx512 {
#include "kernels/confusion_matrix/count_impl.h"
}  // namespace refpix::avx512
