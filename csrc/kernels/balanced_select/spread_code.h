// What cpu_scalar.cpp and cpu_avx2.cpp compile: NumPy's order of additions, which decides between
// vectors that are equally good.
#pragma once

#include "kernels/balanced_select/steps.h"

namespace refpix::balanced {
namespace {

constexpr std::int64_t block = 128;  // values that are added without splitting
constexpr std::int64_t lanes = 8;

// Source: NumPy, loops_utils.h.src (pairwise_sum).
inline double pairwise_sum(const double* values, std::int64_t count) noexcept {
    if (count < lanes) {
        double sum = 0;
        for (std::int64_t i = 0; i < count; ++i) {
            sum += values[i];
        }
        return sum;
    }
    if (count > block) {
        const std::int64_t half = count / 2 / lanes * lanes;
        return pairwise_sum(values, half) + pairwise_sum(values + half, count - half);
    }
    double r[lanes];
    for (std::int64_t k = 0; k < lanes; ++k) {
        r[k] = values[k];
    }
    const std::int64_t whole = count / lanes * lanes;
    for (std::int64_t i = lanes; i < whole; i += lanes) {
        for (std::int64_t k = 0; k < lanes; ++k) {
            r[k] += values[i + k];
        }
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (std::int64_t i = whole; i < count; ++i) {
        sum += values[i];
    }
    return sum;
}

inline double spread_of(const Spread& args) noexcept {
    const std::int64_t n = args.width;
    const double* __restrict taken = args.taken;
    double* __restrict terms = args.terms;
    const double total = args.total + 1e-9;
    for (std::int64_t first = 0; first < n; first += 64) {
        const std::uint64_t word = args.bits[first / 64 * args.stride];
        const std::int64_t count = n - first < 64 ? n - first : 64;
        for (std::int64_t i = 0; i < count; ++i) {
            const auto bit = static_cast<std::int32_t>(word >> i & 1);
            terms[first + i] = (taken[first + i] + bit) / total;
        }
    }
    const auto count = static_cast<double>(n);
    const double mean = pairwise_sum(terms, n) / count;
    for (std::int64_t i = 0; i < n; ++i) {
        const double distance = terms[i] - mean;
        terms[i] = distance * distance;
    }
    return __builtin_sqrt(pairwise_sum(terms, n) / count);
}

}  // namespace
}  // namespace refpix::balanced
