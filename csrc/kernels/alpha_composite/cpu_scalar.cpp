#include "kernels/alpha_composite/blend.h"
#include "kernels/alpha_composite/rows.h"

namespace refpix::composite {

namespace scalar {

void paste_row(const Row& row) noexcept {
    for (std::int64_t i = 0; i < row.pixels; ++i) {
        const std::uint8_t matte = row.matte[i];
        if (matte == 0) {
            continue;
        }
        for (std::int64_t c = i * row.channels; c < (i + 1) * row.channels; ++c) {
            row.under[c] = paste(row.under[c], row.over[c], matte);
        }
    }
}

}  // namespace scalar

PasteRow paste_row(Isa isa) noexcept {
#if defined(REFPIX_X86)
    if (isa >= Isa::avx2) {
        return avx2::paste_row;
    }
#endif
    (void)isa;
    return scalar::paste_row;
}

}  // namespace refpix::composite
