// What cpu_<isa>.cpp compile, with REFPIX_LANES floats a vector. The order of the operations is
// that of the reference; none is fused.
#pragma once

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/alpha_gradient/passes.h"
#include "kernels/alpha_rows.h"

namespace refpix::gradient {
namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never leave this translation unit

typedef float Floats __attribute__((vector_size(REFPIX_LANES * 4)));

inline void store(float* to, Floats v) noexcept {
    std::memcpy(to, &v, sizeof v);
}

inline Floats root(Floats v) noexcept {
#if defined(__AVX512F__)
    return (Floats)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
    return (Floats)_mm256_sqrt_ps((__m256)v);
#else
    for (int i = 0; i < REFPIX_LANES; ++i) {
        v[i] = __builtin_sqrtf(v[i]);
    }
    return v;
#endif
}

// Copies a row into the ring, normalised if wanted.
inline void load_row(const float* from, const Range& range, bool normalized, std::int64_t n,
                     float* __restrict to) noexcept {
    if (!normalized) {
        std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(float));
        return;
    }
    for (std::int64_t x = 0; x < n; ++x) {
        to[x] = (from[x] - range.low) / range.divisor;
    }
}

// Both vertical filters over the nine rows around an output row.
inline void vertical(const float* const* rows, std::int64_t n, float* smooth,
                     float* derivative) noexcept {
    constexpr int r = gradient_radius;
    for (std::int64_t x = 0; x < n; x += REFPIX_LANES) {
        Floats s = gradient_smooth[0] * load_vector<Floats>(rows[r] + x);
        Floats d = {};
        for (int k = 1; k <= r; ++k) {
            const Floats above = load_vector<Floats>(rows[r - k] + x);
            const Floats below = load_vector<Floats>(rows[r + k] + x);
            s += gradient_smooth[k] * (above + below);
            d += gradient_derivative[k] * (below - above);
        }
        store(smooth + x, s);
        store(derivative + x, d);
    }
}

inline void pad(float* row, std::int64_t n, AlphaPadding padding) noexcept {
    const bool edge = padding == AlphaPadding::edge;
    for (int k = 1; k <= gradient_radius; ++k) {
        row[-k] = edge ? row[0] : 0.0F;
        row[n - 1 + k] = edge ? row[n - 1] : 0.0F;
    }
}

// Both horizontal filters over what the vertical ones left, and the magnitude.
inline void horizontal(const float* smooth, const float* derivative, std::int64_t n,
                       float* magnitude) noexcept {
    for (std::int64_t x = 0; x < n; x += REFPIX_LANES) {
        Floats along_y = gradient_smooth[0] * load_vector<Floats>(derivative + x);
        Floats along_x = {};
        for (int k = 1; k <= gradient_radius; ++k) {
            along_y += gradient_smooth[k] * (load_vector<Floats>(derivative + x - k) +
                                             load_vector<Floats>(derivative + x + k));
            along_x += gradient_derivative[k] *
                       (load_vector<Floats>(smooth + x + k) - load_vector<Floats>(smooth + x - k));
        }
        store(magnitude + x, root(along_x * along_x + along_y * along_y));
    }
}

// Where things lie in the room of a map.
struct Room {
    std::int64_t step;
    float* first;

    explicit Room(const Map& map) noexcept : step(stride(map.width)), first(map.room + margin) {
        std::memset(map.room, 0, static_cast<std::size_t>(room_rows * step) * sizeof(float));
    }
    float* ring(int which, std::int64_t row) const noexcept {
        return first + (which * ring_rows + row % ring_rows) * step;
    }
    float* zeros() const noexcept { return first + 2 * ring_rows * step; }
    float* sums(int which) const noexcept { return first + (2 * ring_rows + 1 + which) * step; }
    float* magnitude(int which) const noexcept {
        return first + (2 * ring_rows + 3 + which) * step;
    }
};

inline void magnitude_row(const Map& map, const Room& room, int which, std::int64_t y) noexcept {
    const float* rows[ring_rows];
    for (int k = -gradient_radius; k <= gradient_radius; ++k) {
        std::int64_t row = y + k;
        const bool inside = row >= 0 && row < map.height;
        if (map.padding == AlphaPadding::edge) {
            row = row < 0 ? 0 : row < map.height ? row : map.height - 1;
        }
        rows[k + gradient_radius] =
            inside || map.padding == AlphaPadding::edge ? room.ring(which, row) : room.zeros();
    }
    vertical(rows, map.width, room.sums(0), room.sums(1));
    pad(room.sums(0), map.width, map.padding);
    pad(room.sums(1), map.width, map.padding);
    horizontal(room.sums(0), room.sums(1), map.width, room.magnitude(which));
}

inline void sum_of_map(const Map& map) noexcept {
    const Room room(map);
    const std::int64_t n = map.width;
    std::int64_t loaded = 0;
    for (std::int64_t y = 0; y < map.height; ++y) {
        for (; loaded < map.height && loaded <= y + gradient_radius; ++loaded) {
            for (int which = 0; which < 2; ++which) {
                load_row(map.maps[which] + loaded * n, map.ranges[which], map.normalized, n,
                         room.ring(which, loaded));
            }
        }
        magnitude_row(map, room, 0, y);
        magnitude_row(map, room, 1, y);
        const float* pred = room.magnitude(0);
        float* __restrict terms = room.magnitude(1);
        for (std::int64_t x = 0; x < n; ++x) {
            const float difference = terms[x] - pred[x];
            terms[x] = difference * difference;
        }
        add_row(terms, map.trimap == nullptr ? nullptr : map.trimap + y * n, n, map.squared);
    }
}

inline bool extent_of(const float* values, std::int64_t count, float* low, float* high) noexcept {
    constexpr int lanes = 16;
    float least[lanes];
    float most[lanes];
    for (int i = 0; i < lanes; ++i) {
        least[i] = most[i] = values[0];
    }
    std::int64_t x = 0;
    for (; x + lanes <= count; x += lanes) {
        for (int i = 0; i < lanes; ++i) {
            least[i] = values[x + i] < least[i] ? values[x + i] : least[i];
            most[i] = values[x + i] > most[i] ? values[x + i] : most[i];
        }
    }
    for (; x < count; ++x) {
        least[0] = values[x] < least[0] ? values[x] : least[0];
        most[0] = values[x] > most[0] ? values[x] : most[0];
    }
    *low = least[0];
    *high = most[0];
    for (int i = 1; i < lanes; ++i) {
        *low = least[i] < *low ? least[i] : *low;
        *high = most[i] > *high ? most[i] : *high;
    }
    return outside(values, count) == 0;
}

#pragma GCC diagnostic pop

}  // namespace
}  // namespace refpix::gradient
