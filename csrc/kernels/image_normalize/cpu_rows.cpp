#include <cmath>
#include <cstring>

#include "kernels/image_normalize/rows.h"
#include "kernels/image_normalize/table.h"

namespace refpix::normalize {
namespace {

// A correctly rounded quotient without a division: multiply by the reciprocal, then correct by
// the exact remainder. Right for nearly all divisors; make_table finds out whether for these.
float divide(float a, float b, float reciprocal) {
    const float q = a * reciprocal;
    return std::fma(std::fma(-q, b, a), reciprocal, q);
}

float compute(const Table& table, Formula formula, int channel, int byte) {
    const float scaled = divide(static_cast<float>(byte), 255.0f, 1.0f / 255.0f);
    if (formula == Formula::scaled) {
        return std::fma(scaled, table.reciprocal_std[channel], table.offset[channel]);
    }
    return divide(scaled - table.mean[channel], table.std[channel], table.reciprocal_std[channel]);
}

bool gives_all(const Table& table, Formula formula) {
    for (int i = 0; i < 3 * 256; ++i) {
        if (float_bits(compute(table, formula, i / 256, i % 256)) != float_bits(table.float32[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace

Table make_table(const float mean[3], const float std[3], NormalizeType type) noexcept {
    Table table;
    table.type = type;
    fill_table<Float32>(mean, std, table.float32);
    if (type == NormalizeType::float16) {
        fill_table<Float16>(mean, std, table.half);
    } else if (type == NormalizeType::bfloat16) {
        fill_table<BFloat16>(mean, std, table.half);
    }
    for (int c = 0; c < 3; ++c) {
        table.mean[c] = mean[c];
        table.std[c] = std[c];
        table.reciprocal_std[c] = 1.0f / std[c];
        table.offset[c] = -mean[c] / std[c];
    }
    table.formula = gives_all(table, Formula::scaled)    ? Formula::scaled
                    : gives_all(table, Formula::divided) ? Formula::divided
                                                         : Formula::none;
    return table;
}

namespace scalar {
namespace {

template <typename T>
void look_up_pixels(const T* entries, const std::uint8_t* rgb, std::int64_t n, T* out) {
    for (std::int64_t i = 0; i < n; ++i) {
        for (int c = 0; c < 3; ++c) {
            out[3 * i + c] = entries[256 * c + rgb[3 * i + c]];
        }
    }
}

}  // namespace

void normalize(const Table& table, int channel, const std::uint8_t* in, std::int64_t n,
               void* out) noexcept {
    if (table.type == NormalizeType::float32) {
        const float* entries = table.float32 + 256 * channel;
        for (std::int64_t i = 0; i < n; ++i) {
            static_cast<float*>(out)[i] = entries[in[i]];
        }
        return;
    }
    const std::uint16_t* entries = table.half + 256 * channel;
    for (std::int64_t i = 0; i < n; ++i) {
        static_cast<std::uint16_t*>(out)[i] = entries[in[i]];
    }
}

void normalize_pixels(const Table& table, const std::uint8_t* rgb, std::int64_t n,
                      void* out) noexcept {
    if (table.type == NormalizeType::float32) {
        look_up_pixels(table.float32, rgb, n, static_cast<float*>(out));
    } else {
        look_up_pixels(table.half, rgb, n, static_cast<std::uint16_t*>(out));
    }
}

void deinterleave(const std::uint8_t* rgb, std::int64_t n, std::uint8_t* planes,
                  std::ptrdiff_t plane_stride) noexcept {
    for (std::int64_t i = 0; i < n; ++i) {
        for (int c = 0; c < 3; ++c) {
            planes[c * plane_stride + i] = rgb[3 * i + c];
        }
    }
}

}  // namespace scalar

RowFunctions row_functions([[maybe_unused]] Isa isa) noexcept {
#if defined(REFPIX_X86)
    if (isa >= Isa::avx2) {
        return {avx2::normalize, avx2::normalize_pixels, avx2::deinterleave};
    }
#endif
    return {scalar::normalize, scalar::normalize_pixels, scalar::deinterleave};
}

}  // namespace refpix::normalize
