// Stands in for <immintrin.h>: the AVX-512 intrinsics that the VBMI path of base64_decode uses,
// byte by byte as the instruction set reference describes them. With this folder first on the
// include path the kernel's own source compiles and runs on any machine.
#pragma once

#include <cstdint>
#include <cstring>

struct __m512i {
    std::uint8_t b[64];
};
using __mmask64 = std::uint64_t;

template <typename T>
T vbmi_lane(const __m512i& v, int i) {
    T x;
    std::memcpy(&x, v.b + i * sizeof(T), sizeof(T));
    return x;
}

template <typename T>
void vbmi_set(__m512i& v, int i, T x) {
    std::memcpy(v.b + i * sizeof(T), &x, sizeof(T));
}

inline __m512i _mm512_loadu_si512(const void* from) {
    __m512i v;
    std::memcpy(v.b, from, 64);
    return v;
}

inline void _mm512_storeu_si512(void* to, __m512i v) {
    std::memcpy(to, v.b, 64);
}

inline __m512i _mm512_set1_epi32(int x) {
    __m512i v;
    for (int i = 0; i < 16; ++i) {
        vbmi_set<std::int32_t>(v, i, x);
    }
    return v;
}

inline __m512i _mm512_or_si512(__m512i a, __m512i b) {
    for (int i = 0; i < 64; ++i) {
        a.b[i] |= b.b[i];
    }
    return a;
}

// VPERMI2B: bit 6 of an index picks the table, bits 0 to 5 the byte, bit 7 is ignored.
inline __m512i _mm512_permutex2var_epi8(__m512i first, __m512i index, __m512i second) {
    for (int i = 0; i < 64; ++i) {
        index.b[i] = (index.b[i] & 64 ? second : first).b[index.b[i] & 63];
    }
    return index;
}

// VPERMB with zeroing mask: bits 0 to 5 of an index pick the byte.
inline __m512i _mm512_maskz_permutexvar_epi8(__mmask64 mask, __m512i index, __m512i v) {
    for (int i = 0; i < 64; ++i) {
        index.b[i] = mask >> i & 1 ? v.b[index.b[i] & 63] : 0;
    }
    return index;
}

inline __mmask64 _mm512_movepi8_mask(__m512i v) {
    __mmask64 mask = 0;
    for (int i = 0; i < 64; ++i) {
        mask |= static_cast<__mmask64>(v.b[i] >> 7) << i;
    }
    return mask;
}

// VPMADDUBSW: unsigned bytes of a times signed bytes of b, pairs added, saturated.
inline __m512i _mm512_maddubs_epi16(__m512i a, __m512i b) {
    __m512i v;
    for (int i = 0; i < 32; ++i) {
        const int sum = a.b[2 * i] * vbmi_lane<std::int8_t>(b, 2 * i) +
                        a.b[2 * i + 1] * vbmi_lane<std::int8_t>(b, 2 * i + 1);
        const int most = sum > INT16_MAX ? INT16_MAX : sum;
        vbmi_set<std::int16_t>(v, i,
                               static_cast<std::int16_t>(most < INT16_MIN ? INT16_MIN : most));
    }
    return v;
}

// VPMADDWD: signed words multiplied, pairs added.
inline __m512i _mm512_madd_epi16(__m512i a, __m512i b) {
    __m512i v;
    for (int i = 0; i < 16; ++i) {
        vbmi_set<std::int32_t>(
            v, i,
            vbmi_lane<std::int16_t>(a, 2 * i) * vbmi_lane<std::int16_t>(b, 2 * i) +
                vbmi_lane<std::int16_t>(a, 2 * i + 1) * vbmi_lane<std::int16_t>(b, 2 * i + 1));
    }
    return v;
}
