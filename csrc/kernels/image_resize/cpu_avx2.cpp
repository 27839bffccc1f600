// AVX2: a weight is high * 1024 + low, both 16 bits, and vpmaddwd takes two taps at a time, so
// that two taps of eight outputs cost two multiply-adds. Exact: neither sum comes near 2^31.
#include <immintrin.h>

#include "kernels/image_resize/passes.h"

namespace refpix::resize::avx2 {
namespace {

inline __m256i half() {
    return _mm256_set1_epi32(1 << (weight_bits - 1));
}

struct Sums {
    __m256i high = _mm256_setzero_si256();
    __m256i low = half();

    // v: pairs of taps as 16-bit numbers; w: high and low of the pair's weights.
    inline void add(__m256i v, const std::int32_t* w) {
        high = _mm256_add_epi32(high, _mm256_madd_epi16(v, _mm256_set1_epi32(w[0])));
        low = _mm256_add_epi32(low, _mm256_madd_epi16(v, _mm256_set1_epi32(w[1])));
    }
    inline __m256i result() const {
        return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, low_bits), low),
                                 weight_bits);
    }
};

inline __m256i load_rows(const std::uint8_t* const* rows, std::int64_t offset) {
    return _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i*)(rows[0] + offset))),
        _mm_loadu_si128((const __m128i*)(rows[1] + offset)), 1);
}

inline void store_rows(std::uint8_t* const* out, std::ptrdiff_t offset, __m256i v) {
    _mm_storeu_si128((__m128i*)(out[0] + offset), _mm256_castsi256_si128(v));
    _mm_storeu_si128((__m128i*)(out[1] + offset), _mm256_extracti128_si256(v, 1));
}

inline __m256i both(__m128i v) {
    return _mm256_broadcastsi128_si256(v);
}

// Two taps, from byte `first` on, of R, G, B as 16-bit pairs.
inline __m256i two_taps(__m256i raw, char first) {
    const char a = first;
    const char b = static_cast<char>(first + 3);
    const __m128i control =
        _mm_setr_epi8(a, -1, b, -1, static_cast<char>(a + 1), -1, static_cast<char>(b + 1), -1,
                      static_cast<char>(a + 2), -1, static_cast<char>(b + 2), -1, -1, -1, -1, -1);
    return _mm256_shuffle_epi8(raw, both(control));
}

inline __m256i fifth_tap(__m256i raw) {
    return _mm256_shuffle_epi8(
        raw, both(_mm_setr_epi8(12, -1, -1, -1, 13, -1, -1, -1, 14, -1, -1, -1, -1, -1, -1, -1)));
}

// One output pixel of two rows: lane = row, int32 R, G, B, unused.
// Groups: 1, 2 (with at most five taps), or 0 for any number.
template <int Groups>
inline __m256i pixel(const Taps& taps, const std::uint8_t* const* rows, std::int64_t o) {
    const std::int64_t offset = std::int64_t{taps.start[o]} * 3;
    const std::int32_t* w = &taps.pairs[o * taps.groups * 4];
    Sums sums;
    const int groups = Groups == 0 ? taps.groups : 1;
    for (int g = 0; g < groups; ++g, w += 4) {
        const __m256i raw = load_rows(rows, offset + 12 * g);
        sums.add(two_taps(raw, 0), w);
        sums.add(two_taps(raw, 6), w + 2);
        if constexpr (Groups == 2) {
            sums.add(fifth_tap(raw), w + 4);
        }
    }
    return sums.result();
}

// Four pixels as bytes: lane = row, RGBxRGBxRGBxRGBx.
template <int Groups>
inline __m256i four_pixels(const Taps& taps, const std::uint8_t* const* rows, std::int64_t o) {
    const __m256i ab =
        _mm256_packs_epi32(pixel<Groups>(taps, rows, o), pixel<Groups>(taps, rows, o + 1));
    const __m256i cd =
        _mm256_packs_epi32(pixel<Groups>(taps, rows, o + 2), pixel<Groups>(taps, rows, o + 3));
    return _mm256_packus_epi16(ab, cd);
}

template <int Groups>
void planar(const HorizontalPass& pass, int first_row) {
    const __m256i by_channel =
        both(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const std::uint8_t* const* rows = pass.rows + first_row;
    std::uint8_t* const* out = pass.out + first_row;
    for (std::int64_t o = 0; o < pass.taps->out; o += 16) {
        __m256i v[4];
        for (int k = 0; k < 4; ++k) {
            v[k] =
                _mm256_shuffle_epi8(four_pixels<Groups>(*pass.taps, rows, o + 4 * k), by_channel);
        }
        const __m256i ab = _mm256_unpacklo_epi32(v[0], v[1]);
        const __m256i cd = _mm256_unpacklo_epi32(v[2], v[3]);
        store_rows(out, o, _mm256_unpacklo_epi64(ab, cd));
        store_rows(out, o + pass.plane_stride, _mm256_unpackhi_epi64(ab, cd));
        store_rows(out, o + 2 * pass.plane_stride,
                   _mm256_unpacklo_epi64(_mm256_unpackhi_epi32(v[0], v[1]),
                                         _mm256_unpackhi_epi32(v[2], v[3])));
    }
}

template <int Groups>
void interleaved(const HorizontalPass& pass, int first_row) {
    const __m256i drop_fourth =
        both(_mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1));
    // A store of 16 bytes holds four pixels, 12 bytes; the next one overwrites the rest.
    for (std::int64_t o = 0; o < pass.taps->out; o += 4) {
        const __m256i v = four_pixels<Groups>(*pass.taps, pass.rows + first_row, o);
        store_rows(pass.out + first_row, 3 * o, _mm256_shuffle_epi8(v, drop_fourth));
    }
}

template <int Groups>
void three_channels(const HorizontalPass& pass) {
    for (int first_row = 0; first_row < block_rows; first_row += 2) {
        if (pass.layout == Layout::planar) {
            planar<Groups>(pass, first_row);
        } else {
            interleaved<Groups>(pass, first_row);
        }
    }
}

// Per lane of 32 bits: taps 0, 1 (or 2, 3) as a 16-bit pair.
inline __m256i low_pair(__m256i v) {
    return _mm256_shuffle_epi8(
        v, both(_mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1)));
}
inline __m256i high_pair(__m256i v) {
    return _mm256_shuffle_epi8(
        v, both(_mm_setr_epi8(2, -1, 3, -1, 6, -1, 7, -1, 10, -1, 11, -1, 14, -1, 15, -1)));
}

// Eight outputs at once, four taps of each gathered; weights gathered from [output][pair].
inline __m256i eight_outputs(const Taps& taps, const std::uint8_t* row, std::int64_t o) {
    const __m256i start = _mm256_loadu_si256((const __m256i*)&taps.start[o]);
    const int stride = taps.groups * 4;
    const __m256i each =
        _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(stride));
    const std::int32_t* w = &taps.pairs[o * stride];
    __m256i high = _mm256_setzero_si256();
    __m256i low = half();
    for (int g = 0; g < taps.groups; ++g, w += 4) {
        const __m256i v = _mm256_i32gather_epi32((const int*)(row + group * g), start, 1);
        const __m256i a = low_pair(v);
        const __m256i b = high_pair(v);
        const auto weight = [&](int k) { return _mm256_i32gather_epi32(w + k, each, 4); };
        high = _mm256_add_epi32(high, _mm256_add_epi32(_mm256_madd_epi16(a, weight(0)),
                                                       _mm256_madd_epi16(b, weight(2))));
        low = _mm256_add_epi32(low, _mm256_add_epi32(_mm256_madd_epi16(a, weight(1)),
                                                     _mm256_madd_epi16(b, weight(3))));
    }
    return _mm256_srai_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, low_bits), low), weight_bits);
}

void one_channel(const HorizontalPass& pass) {
    for (int r = 0; r < block_rows; ++r) {
        for (std::int64_t o = 0; o < pass.taps->out; o += 16) {
            const __m256i words =
                _mm256_packs_epi32(eight_outputs(*pass.taps, pass.rows[r], o),
                                   eight_outputs(*pass.taps, pass.rows[r], o + 8));
            const __m256i in_order = _mm256_permute4x64_epi64(words, 0b11011000);
            _mm_storeu_si128((__m128i*)(pass.out[r] + o),
                             _mm_packus_epi16(_mm256_castsi256_si128(in_order),
                                              _mm256_extracti128_si256(in_order, 1)));
        }
    }
}

inline void columns(const VerticalPass& pass, std::int64_t i, std::uint8_t* out) {
    const __m256i zero = _mm256_setzero_si256();
    const std::int32_t* w = &pass.taps->pairs[pass.output * pass.taps->groups * 4];
    Sums sums[4];
    for (int pair = 0; pair < 2 * pass.taps->groups; ++pair, w += 2) {
        const __m256i a = _mm256_loadu_si256((const __m256i*)(pass.rows[2 * pair] + i));
        const __m256i b = _mm256_loadu_si256((const __m256i*)(pass.rows[2 * pair + 1] + i));
        const __m256i low = _mm256_unpacklo_epi8(a, b);
        const __m256i high = _mm256_unpackhi_epi8(a, b);
        sums[0].add(_mm256_unpacklo_epi8(low, zero), w);
        sums[1].add(_mm256_unpackhi_epi8(low, zero), w);
        sums[2].add(_mm256_unpacklo_epi8(high, zero), w);
        sums[3].add(_mm256_unpackhi_epi8(high, zero), w);
    }
    const __m256i ab = _mm256_packs_epi32(sums[0].result(), sums[1].result());
    const __m256i cd = _mm256_packs_epi32(sums[2].result(), sums[3].result());
    _mm256_storeu_si256((__m256i*)out, _mm256_packus_epi16(ab, cd));
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

// Source rows and the output row have row_padding bytes to spare.
void vertical(const VerticalPass& pass) noexcept {
    for (std::int64_t i = 0; i < pass.bytes; i += 32) {
        columns(pass, i, pass.out + i);
    }
}

}  // namespace refpix::resize::avx2
