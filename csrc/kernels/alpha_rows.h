// Rows of mattes, compiled once per instruction set: include it from cpu_<isa>.cpp only. All in an
// anonymous namespace, so that the linker cannot take one set's code for another's.
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/alpha_pair.h"

namespace refpix {
namespace {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never leave this translation unit

typedef float F32x4 __attribute__((vector_size(16)));
typedef double F64x4 __attribute__((vector_size(32)));
typedef std::int32_t I32x4 __attribute__((vector_size(16)));

template <typename Vector>
inline Vector load_vector(const void* from) noexcept {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

// Not 0 when a value lies outside the range, or is not a number.
inline int outside(const float* values, std::int64_t count) noexcept {
    int bad = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        bad |= !(values[i] >= alpha_low) | !(values[i] <= alpha_high);
    }
    return bad;
}

inline int outside(const std::uint8_t* labels, std::int64_t count) noexcept {
    std::uint8_t most = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        most = labels[i] > most ? labels[i] : most;
    }
    return most >= trimap_labels;
}

// Pixels of each label.
inline void count_labels(const std::uint8_t* labels, std::int64_t count,
                         std::int64_t* areas) noexcept {
    constexpr std::int64_t block = 4096;  // sums below 2^16
    for (std::int64_t start = 0; start < count; start += block) {
        const std::int64_t length = count - start < block ? count - start : block;
        std::uint16_t transition = 0;
        std::uint16_t foreground = 0;
        for (std::int64_t i = start; i < start + length; ++i) {
            transition = static_cast<std::uint16_t>(transition + (labels[i] == 1));
            foreground = static_cast<std::uint16_t>(foreground + (labels[i] == 2));
        }
        areas[0] += length - transition - foreground;
        areas[1] += transition;
        areas[2] += foreground;
    }
}

// Sums in double whose order is part of the contract: eight running sums, column x in sum x % 8,
// added up as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). So every instruction set gives the same.
class OrderedSums {
  public:
    // Whole: everything counts as label 0.
    static double whole(const float* terms, std::int64_t count) noexcept {
        Eight sum;
        std::int64_t x = 0;
        for (; x + 8 <= count; x += 8) {
            sum.add(load_vector<F32x4>(terms + x), load_vector<F32x4>(terms + x + 4));
        }
        if (x < count) {
            float rest[8] = {};
            std::memcpy(rest, terms + x, static_cast<std::size_t>(count - x) * sizeof(float));
            sum.add(load_vector<F32x4>(rest), load_vector<F32x4>(rest + 4));
        }
        return sum.total();
    }

    static void by_label(const float* terms, const std::uint8_t* labels, std::int64_t count,
                         double* sums) noexcept {
        Eight each[trimap_labels];
        std::int64_t x = 0;
        for (; x + 8 <= count; x += 8) {
            add(each, terms + x, labels + x);
        }
        if (x < count) {
            float rest[8] = {};
            std::uint8_t rest_labels[8] = {};
            std::memcpy(rest, terms + x, static_cast<std::size_t>(count - x) * sizeof(float));
            std::memcpy(rest_labels, labels + x, static_cast<std::size_t>(count - x));
            add(each, rest, rest_labels);
        }
        for (int label = 0; label < trimap_labels; ++label) {
            sums[label] = each[label].total();
        }
    }

  private:
    struct Eight {
        F64x4 low = {};
        F64x4 high = {};

        void add(F32x4 a, F32x4 b) noexcept {
            low += __builtin_convertvector(a, F64x4);
            high += __builtin_convertvector(b, F64x4);
        }
        double total() const noexcept {
            return ((low[0] + low[1]) + (low[2] + low[3])) +
                   ((high[0] + high[1]) + (high[2] + high[3]));
        }
    };

    static I32x4 widened(const std::uint8_t* labels) noexcept {
        typedef std::uint8_t U8x4 __attribute__((vector_size(4)));
        return __builtin_convertvector(load_vector<U8x4>(labels), I32x4);
    }

    // Adding 0 changes no sum, so that eight equal labels, the usual case, need only their own.
    static void add(Eight* each, const float* terms, const std::uint8_t* labels) noexcept {
        const auto all = load_vector<std::uint64_t>(labels);
        if (all == labels[0] * std::uint64_t{0x0101010101010101}) {
            each[labels[0]].add(load_vector<F32x4>(terms), load_vector<F32x4>(terms + 4));
            return;
        }
        const I32x4 a = load_vector<I32x4>(terms);
        const I32x4 b = load_vector<I32x4>(terms + 4);
        const I32x4 label_a = widened(labels);
        const I32x4 label_b = widened(labels + 4);
        for (int label = 0; label < trimap_labels; ++label) {
            each[label].add((F32x4)(a & (label_a == label)), (F32x4)(b & (label_b == label)));
        }
    }
};

// Adds a row's terms to the sums of its map.
inline void add_row(const float* terms, const std::uint8_t* labels, std::int64_t count,
                    double* sums) noexcept {
    if (labels == nullptr) {
        sums[0] += OrderedSums::whole(terms, count);
        return;
    }
    double row[trimap_labels];
    OrderedSums::by_label(terms, labels, count, row);
    for (int label = 0; label < trimap_labels; ++label) {
        sums[label] += row[label];
    }
}

#pragma GCC diagnostic pop

}  // namespace
}  // namespace refpix
