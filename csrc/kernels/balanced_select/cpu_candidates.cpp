#include <algorithm>
#include <cmath>
#include <cstddef>

#include "kernels/balanced_select/candidates.h"

namespace refpix::balanced {
namespace {

// Column of the first value that is not finite, or -1.
template <typename T>
std::int64_t pack(const T* vector, std::int64_t width, std::uint64_t* bits) noexcept {
    for (std::int64_t first = 0; first < width; first += 64) {
        const std::int64_t last = std::min(first + 64, width);
        std::uint64_t word = 0;
        for (std::int64_t i = first; i < last; ++i) {
            if constexpr (sizeof(T) > 1) {
                if (!std::isfinite(vector[i])) {
                    return i;
                }
            }
            const bool positive = sizeof(T) > 1 ? vector[i] > T(0.5) : vector[i] != T(0);
            word |= static_cast<std::uint64_t>(positive) << (i - first);
        }
        bits[first / 64] = word;
    }
    return -1;
}

template <typename T>
Status pack_class(const BalancedSelect& args, std::int64_t item, std::uint64_t* bits) noexcept {
    const std::int64_t words = (args.width + 63) / 64;
    const std::int64_t begin = args.offsets[item];
    for (std::int64_t i = begin; i < args.offsets[item + 1]; ++i) {
        const std::int64_t row = args.rows[i];
        if (row < 0 || row >= args.vectors_count) {
            return {Fault::span_out_of_bounds, item, -1};
        }
        const T* vector = static_cast<const T*>(args.vectors) + row * args.width;
        const std::int64_t column = pack(vector, args.width, bits + (i - begin) * words);
        if (column >= 0) {
            const std::int64_t at = (i - begin) * args.width + column;
            return {Fault::attribute_not_finite, item, at * static_cast<std::int64_t>(sizeof(T))};
        }
    }
    return {};
}

struct Row {
    const std::uint64_t* bits;
    std::int64_t words;
    std::int64_t positive;
    std::int64_t place;
};

bool same(const Row& a, const Row& b) noexcept {
    return a.positive == b.positive && std::equal(a.bits, a.bits + a.words, b.bits);
}

bool before(const Row& a, const Row& b) noexcept {
    if (a.positive != b.positive) {
        return a.positive < b.positive;
    }
    const auto [left, right] = std::mismatch(a.bits, a.bits + a.words, b.bits);
    return left == a.bits + a.words ? a.place < b.place : *left < *right;
}

}  // namespace

Status pack_rows(const BalancedSelect& args, std::int64_t item, std::uint64_t* bits) noexcept {
    switch (args.type) {
        case AttributeType::float32:
            return pack_class<float>(args, item, bits);
        case AttributeType::float64:
            return pack_class<double>(args, item, bits);
        default:
            return pack_class<std::uint8_t>(args, item, bits);
    }
}

bool gather_candidates(const std::uint64_t* rows, std::int64_t count, std::int64_t words,
                       Candidates* out) noexcept {
    Scratch<Row> sorted;
    if (!sorted.reserve(count)) {
        return false;
    }
    out->words = words;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint64_t* bits = rows + i * words;
        std::int64_t positive = 0;
        for (std::int64_t w = 0; w < words; ++w) {
            positive += __builtin_popcountll(bits[w]);
        }
        if (positive > 0) {
            sorted.data()[out->usable++] = {bits, words, positive, i};
        }
    }
    const Row* const row = sorted.data();
    std::sort(sorted.data(), sorted.data() + out->usable, before);
    for (std::int64_t i = 0; i < out->usable; ++i) {
        out->vectors += i == 0 || !same(row[i - 1], row[i]);
        out->buckets += i == 0 || row[i - 1].positive != row[i].positive;
    }
    if (!out->bits.reserve(words * out->vectors) || !out->places.reserve(out->usable) ||
        !out->next.reserve(out->vectors) || !out->end.reserve(out->vectors) ||
        !out->overlap.reserve(out->vectors) || !out->bucket.reserve(out->buckets)) {
        return false;
    }
    std::int64_t vector = -1;
    std::int64_t bucket = -1;
    for (std::int64_t i = 0; i < out->usable; ++i) {
        if (i == 0 || !same(row[i - 1], row[i])) {
            ++vector;
            out->next.data()[vector] = i;
            out->overlap.data()[vector] = 0;
            for (std::int64_t w = 0; w < words; ++w) {
                out->bits.data()[w * out->vectors + vector] = row[i].bits[w];
            }
            if (i == 0 || row[i - 1].positive != row[i].positive) {
                out->bucket.data()[++bucket] = {vector, vector, row[i].positive, 0};
            }
            ++out->bucket.data()[bucket].last;
        }
        out->places.data()[i] = row[i].place;
        out->end.data()[vector] = i + 1;
    }
    return true;
}

}  // namespace refpix::balanced
