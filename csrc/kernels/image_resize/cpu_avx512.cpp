// AVX-512 VNNI: vpdpbusd multiplies four pixels by four signed 8-bit digits and adds the four
// products to a 32-bit sum, so a weight of three digits costs three of them per four taps. Digits
// go from the highest down (Horner): sum = ((s2 << 8) + s1 << 8) + s0, exact modulo 2^32.
#include <immintrin.h>

#include "kernels/image_resize/passes.h"

namespace refpix::resize::avx512 {
namespace {

// Becomes 2^21, half of the last place, after the two shifts by 8.
inline __m512i rounding() {
    return _mm512_set1_epi32(1 << (weight_bits - 1 - 16));
}

inline __m512i digit(const std::int32_t* packed) {
    return _mm512_set1_epi32(*packed);
}

inline __m512i load_rows(const std::uint8_t* const* rows, std::int64_t offset) {
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i*)(rows[0] + offset)));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i*)(rows[1] + offset)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i*)(rows[2] + offset)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i*)(rows[3] + offset)), 3);
}

inline void store_rows(std::uint8_t* const* out, std::ptrdiff_t offset, __m512i v) {
    _mm_storeu_si128((__m128i*)(out[0] + offset), _mm512_castsi512_si128(v));
    _mm_storeu_si128((__m128i*)(out[1] + offset), _mm512_extracti32x4_epi32(v, 1));
    _mm_storeu_si128((__m128i*)(out[2] + offset), _mm512_extracti32x4_epi32(v, 2));
    _mm_storeu_si128((__m128i*)(out[3] + offset), _mm512_extracti32x4_epi32(v, 3));
}

// RGBRGBRGBRGBx of one row per lane -> RRRR GGGG BBBB ----.
inline __m512i four_taps() {
    return _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
}
inline __m512i fifth_tap() {
    return _mm512_broadcast_i32x4(
        _mm_setr_epi8(12, -1, -1, -1, 13, -1, -1, -1, 14, -1, -1, -1, -1, -1, -1, -1));
}

// Sums of one output pixel for four rows: lane = row, int32 R, G, B, unused.
// Groups: 1, 2 (with at most five taps), or 0 for any number.
template <int Groups>
inline __m512i pixel(const HorizontalPass& pass, std::int64_t o) {
    const Taps& taps = *pass.taps;
    const std::int64_t offset = std::int64_t{taps.start[o]} * 3;
    const std::int32_t* w = &taps.digits[o * taps.groups * 3];
    const __m512i zero = _mm512_setzero_si512();
    const __m512i half = _mm512_set1_epi32(1 << (weight_bits - 1));
    __m512i s2, s1, s0;
    if constexpr (Groups == 1) {
        const __m512i v = _mm512_shuffle_epi8(load_rows(pass.rows, offset), four_taps());
        s2 = _mm512_dpbusd_epi32(zero, v, digit(w));
        s1 = _mm512_dpbusd_epi32(zero, v, digit(w + 1));
        s0 = _mm512_dpbusd_epi32(half, v, digit(w + 2));
    } else if constexpr (Groups == 2) {
        const __m512i raw = load_rows(pass.rows, offset);
        const __m512i v = _mm512_shuffle_epi8(raw, four_taps());
        const __m512i v5 = _mm512_shuffle_epi8(raw, fifth_tap());
        s2 = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, v, digit(w)), v5, digit(w + 3));
        s1 = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(zero, v, digit(w + 1)), v5, digit(w + 4));
        s0 = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(half, v, digit(w + 2)), v5, digit(w + 5));
    } else {
        s2 = s1 = zero;
        s0 = half;
        for (int g = 0; g < taps.groups; ++g, w += 3) {
            const __m512i v =
                _mm512_shuffle_epi8(load_rows(pass.rows, offset + 12 * g), four_taps());
            s2 = _mm512_dpbusd_epi32(s2, v, digit(w));
            s1 = _mm512_dpbusd_epi32(s1, v, digit(w + 1));
            s0 = _mm512_dpbusd_epi32(s0, v, digit(w + 2));
        }
    }
    s1 = _mm512_add_epi32(_mm512_slli_epi32(s2, 8), s1);
    return _mm512_add_epi32(_mm512_slli_epi32(s1, 8), s0);
}

// Four pixels as bytes: lane = row, RGBxRGBxRGBxRGBx.
template <int Groups>
inline __m512i four_pixels(const HorizontalPass& pass, std::int64_t o) {
    const __m512i a = _mm512_srai_epi32(pixel<Groups>(pass, o), weight_bits);
    const __m512i b = _mm512_srai_epi32(pixel<Groups>(pass, o + 1), weight_bits);
    const __m512i c = _mm512_srai_epi32(pixel<Groups>(pass, o + 2), weight_bits);
    const __m512i d = _mm512_srai_epi32(pixel<Groups>(pass, o + 3), weight_bits);
    return _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
}

template <int Groups>
void planar(const HorizontalPass& pass) {
    const __m512i by_channel =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    for (std::int64_t o = 0; o < pass.taps->out; o += 16) {
        const __m512i a = _mm512_shuffle_epi8(four_pixels<Groups>(pass, o), by_channel);
        const __m512i b = _mm512_shuffle_epi8(four_pixels<Groups>(pass, o + 4), by_channel);
        const __m512i c = _mm512_shuffle_epi8(four_pixels<Groups>(pass, o + 8), by_channel);
        const __m512i d = _mm512_shuffle_epi8(four_pixels<Groups>(pass, o + 12), by_channel);
        const __m512i ab = _mm512_unpacklo_epi32(a, b);
        const __m512i cd = _mm512_unpacklo_epi32(c, d);
        store_rows(pass.out, o, _mm512_unpacklo_epi64(ab, cd));
        store_rows(pass.out, o + pass.plane_stride, _mm512_unpackhi_epi64(ab, cd));
        store_rows(pass.out, o + 2 * pass.plane_stride,
                   _mm512_unpacklo_epi64(_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d)));
    }
}

template <int Groups>
void interleaved(const HorizontalPass& pass) {
    const __m512i drop_fourth = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    // A store of 16 bytes holds four pixels, 12 bytes; the next one overwrites the rest.
    for (std::int64_t o = 0; o < pass.taps->out; o += 4) {
        store_rows(pass.out, 3 * o, _mm512_shuffle_epi8(four_pixels<Groups>(pass, o), drop_fourth));
    }
}

template <int Groups>
void three_channels(const HorizontalPass& pass) {
    if (pass.layout == Layout::planar) {
        planar<Groups>(pass);
    } else {
        interleaved<Groups>(pass);
    }
}

// Sixteen outputs at once, four taps of each gathered.
void one_channel(const HorizontalPass& pass) {
    const Taps& taps = *pass.taps;
    const std::int64_t padded = static_cast<std::int64_t>(taps.start.size());
    for (int r = 0; r < block_rows; ++r) {
        for (std::int64_t o = 0; o < taps.out; o += 16) {
            const __m512i start = _mm512_loadu_si512(&taps.start[o]);
            __m512i s2 = rounding();
            __m512i s1 = _mm512_setzero_si512();
            __m512i s0 = _mm512_setzero_si512();
            for (int g = 0; g < taps.groups; ++g) {
                const __m512i v = _mm512_i32gather_epi32(start, pass.rows[r] + group * g, 1);
                const std::int32_t* w = &taps.digits_by_output[3 * g * padded + o];
                s2 = _mm512_dpbusd_epi32(s2, v, _mm512_loadu_si512(w));
                s1 = _mm512_dpbusd_epi32(s1, v, _mm512_loadu_si512(w + padded));
                s0 = _mm512_dpbusd_epi32(s0, v, _mm512_loadu_si512(w + 2 * padded));
            }
            s1 = _mm512_add_epi32(_mm512_slli_epi32(s2, 8), s1);
            s0 = _mm512_add_epi32(_mm512_slli_epi32(s1, 8), s0);
            s0 = _mm512_max_epi32(_mm512_srai_epi32(s0, weight_bits), _mm512_setzero_si512());
            _mm_storeu_si128((__m128i*)(pass.out[r] + o), _mm512_cvtusepi32_epi8(s0));
        }
    }
}

// Bytes of four rows -> columns: each int32 holds one column of the four rows.
struct Columns {
    __m512i part[4];
};

inline Columns columns(const std::uint8_t* const* rows, std::int64_t i, __mmask64 mask) {
    const __m512i r0 = _mm512_maskz_loadu_epi8(mask, rows[0] + i);
    const __m512i r1 = _mm512_maskz_loadu_epi8(mask, rows[1] + i);
    const __m512i r2 = _mm512_maskz_loadu_epi8(mask, rows[2] + i);
    const __m512i r3 = _mm512_maskz_loadu_epi8(mask, rows[3] + i);
    const __m512i low01 = _mm512_unpacklo_epi8(r0, r1);
    const __m512i high01 = _mm512_unpackhi_epi8(r0, r1);
    const __m512i low23 = _mm512_unpacklo_epi8(r2, r3);
    const __m512i high23 = _mm512_unpackhi_epi8(r2, r3);
    return {{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
             _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)}};
}

inline void store_columns(std::uint8_t* out, __mmask64 mask, const __m512i* sums) {
    __m512i v[4];
    for (int k = 0; k < 4; ++k) {
        v[k] = _mm512_srai_epi32(sums[k], weight_bits);
    }
    _mm512_mask_storeu_epi8(
        out, mask,
        _mm512_packus_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3])));
}

void vertical_one_group(const VerticalPass& pass) {
    const std::int32_t* w = &pass.taps->digits[pass.output * 3];
    const __m512i w2 = digit(w);
    const __m512i w1 = digit(w + 1);
    const __m512i w0 = digit(w + 2);
    for (std::int64_t i = 0; i < pass.bytes; i += 64) {
        const std::int64_t left = pass.bytes - i;
        const __mmask64 mask = left >= 64 ? ~0ull : (1ull << left) - 1;
        const Columns v = columns(pass.rows, i, mask);
        __m512i sums[4];
        for (int k = 0; k < 4; ++k) {
            __m512i sum = _mm512_dpbusd_epi32(rounding(), v.part[k], w2);
            sum = _mm512_dpbusd_epi32(_mm512_slli_epi32(sum, 8), v.part[k], w1);
            sums[k] = _mm512_dpbusd_epi32(_mm512_slli_epi32(sum, 8), v.part[k], w0);
        }
        store_columns(pass.out + i, mask, sums);
    }
}

// A single row as columns: the three others have no weight, whatever stands for them.
inline Columns columns_of_one(const std::uint8_t* row, std::int64_t i, __mmask64 mask) {
    const __m512i r = _mm512_maskz_loadu_epi8(mask, row + i);
    const __m512i low = _mm512_unpacklo_epi8(r, r);
    const __m512i high = _mm512_unpackhi_epi8(r, r);
    return {{_mm512_unpacklo_epi16(low, low), _mm512_unpackhi_epi16(low, low),
             _mm512_unpacklo_epi16(high, high), _mm512_unpackhi_epi16(high, high)}};
}

void vertical_five_taps(const VerticalPass& pass) {
    __m512i w[6];
    for (int k = 0; k < 6; ++k) {
        w[k] = digit(&pass.taps->digits[pass.output * 6 + k]);
    }
    for (std::int64_t i = 0; i < pass.bytes; i += 64) {
        const std::int64_t left = pass.bytes - i;
        const __mmask64 mask = left >= 64 ? ~0ull : (1ull << left) - 1;
        const Columns v = columns(pass.rows, i, mask);
        const Columns v5 = columns_of_one(pass.rows[4], i, mask);
        __m512i sums[4];
        for (int k = 0; k < 4; ++k) {
            __m512i sum = _mm512_dpbusd_epi32(rounding(), v.part[k], w[0]);
            sum = _mm512_slli_epi32(_mm512_dpbusd_epi32(sum, v5.part[k], w[3]), 8);
            sum = _mm512_dpbusd_epi32(sum, v.part[k], w[1]);
            sum = _mm512_slli_epi32(_mm512_dpbusd_epi32(sum, v5.part[k], w[4]), 8);
            sum = _mm512_dpbusd_epi32(sum, v.part[k], w[2]);
            sums[k] = _mm512_dpbusd_epi32(sum, v5.part[k], w[5]);
        }
        store_columns(pass.out + i, mask, sums);
    }
}

void vertical_any(const VerticalPass& pass) {
    const int groups = pass.taps->groups;
    for (std::int64_t i = 0; i < pass.bytes; i += 64) {
        const std::int64_t left = pass.bytes - i;
        const __mmask64 mask = left >= 64 ? ~0ull : (1ull << left) - 1;
        __m512i s2[4], s1[4], s0[4];
        for (int k = 0; k < 4; ++k) {
            s2[k] = rounding();
            s1[k] = s0[k] = _mm512_setzero_si512();
        }
        const std::int32_t* w = &pass.taps->digits[pass.output * groups * 3];
        for (int g = 0; g < groups; ++g, w += 3) {
            const Columns v = columns(pass.rows + group * g, i, mask);
            for (int k = 0; k < 4; ++k) {
                s2[k] = _mm512_dpbusd_epi32(s2[k], v.part[k], digit(w));
                s1[k] = _mm512_dpbusd_epi32(s1[k], v.part[k], digit(w + 1));
                s0[k] = _mm512_dpbusd_epi32(s0[k], v.part[k], digit(w + 2));
            }
        }
        for (int k = 0; k < 4; ++k) {
            s1[k] = _mm512_add_epi32(_mm512_slli_epi32(s2[k], 8), s1[k]);
            s0[k] = _mm512_add_epi32(_mm512_slli_epi32(s1[k], 8), s0[k]);
        }
        store_columns(pass.out + i, mask, s0);
    }
}

}  // namespace

void horizontal(const HorizontalPass& pass) noexcept {
    if (pass.channels == 1) {
        one_channel(pass);
    } else if (pass.taps->groups == 1) {
        three_channels<1>(pass);
    } else if (pass.taps->width == 5) {
        three_channels<2>(pass);
    } else {
        three_channels<0>(pass);
    }
}

void vertical(const VerticalPass& pass) noexcept {
    if (pass.taps->groups == 1) {
        vertical_one_group(pass);
    } else if (pass.taps->width == 5) {
        vertical_five_taps(pass);
    } else {
        vertical_any(pass);
    }
}

}  // namespace refpix::resize::avx512
