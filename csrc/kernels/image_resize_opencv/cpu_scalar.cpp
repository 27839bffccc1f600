#include "kernels/image_resize_opencv/rows_code.h"

namespace refpix::resize_opencv::scalar {

void across(const Across& args) noexcept {
    const auto run = args.channels == 1   ? across_from<1>
                     : args.channels == 3 ? across_from<3>
                                          : across_from<0>;
    run(args, 0);
}

void down(const Down& args) noexcept {
    down_row(args);
}

}  // namespace refpix::resize_opencv::scalar
