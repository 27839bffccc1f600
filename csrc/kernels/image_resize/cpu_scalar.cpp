#include "kernels/image_resize/passes.h"
#include "kernels/image_resize/window.h"

namespace refpix::resize {
namespace scalar {

void horizontal(const HorizontalPass& pass) noexcept {
    const Taps& taps = *pass.taps;
    const int channels = pass.channels;
    const std::ptrdiff_t step = pass.layout == Layout::planar ? 1 : channels;
    const std::ptrdiff_t plane = pass.layout == Layout::planar ? pass.plane_stride : 1;
    for (int r = 0; r < block_rows; ++r) {
        for (std::int64_t o = 0; o < taps.out; ++o) {
            const std::int32_t* weights = taps.weights_of(o);
            const std::uint8_t* source = pass.rows[r] + std::int64_t{taps.start[o]} * channels;
            const std::int64_t span =
                taps.last[o] - taps.start[o] + 1;  // weightless taps may lie outside the row
            for (int c = 0; c < channels; ++c) {
                std::int32_t sum = rounding;
                for (std::int64_t t = 0; t < span; ++t) {
                    sum += weights[t] * source[t * channels + c];
                }
                pass.out[r][o * step + c * plane] = to_byte(sum);
            }
        }
    }
}

void vertical(const VerticalPass& pass) noexcept {
    const Taps& taps = *pass.taps;
    const std::int32_t* weights = taps.weights_of(pass.output);
    const std::int64_t span = taps.last[pass.output] - taps.start[pass.output] + 1;
    for (std::int64_t i = 0; i < pass.bytes; ++i) {
        std::int32_t sum = rounding;
        for (std::int64_t t = 0; t < span; ++t) {
            sum += weights[t] * pass.rows[t][i];
        }
        pass.out[i] = to_byte(sum);
    }
}

}  // namespace scalar

RowPasses row_passes([[maybe_unused]] Isa isa, [[maybe_unused]] bool has_digits) noexcept {
#if defined(REFPIX_X86)
    if (isa >= Isa::avx512 && has_digits) {
        return {avx512::horizontal, avx512::vertical};
    }
    if (isa >= Isa::avx2) {
        return {avx2::horizontal, avx2::vertical};
    }
#endif
    return {scalar::horizontal, scalar::vertical};
}

}  // namespace refpix::resize
