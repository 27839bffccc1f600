// The rows of one class as bits, each different vector once, sorted by how many attributes it has.
#pragma once

#include <cstdint>

#include "core/scratch.h"
#include "kernels/balanced_select/balanced_select.h"

namespace refpix::balanced {

// Vectors with equally many attributes.
struct Bucket {
    std::int64_t first = 0;  // vector
    std::int64_t last = 0;   // one past
    std::int64_t positive = 0;
    std::int32_t least = 0;  // overlap, see cpu.cpp
};

struct Candidates {
    std::int64_t words = 0;    // 64-bit words of a vector
    std::int64_t usable = 0;   // rows with at least one attribute
    std::int64_t vectors = 0;  // different ones
    std::int64_t buckets = 0;
    Scratch<std::uint64_t> bits;    // (words, vectors): a word of all vectors lies together
    Scratch<std::int64_t> places;   // (usable,) places within the class, equal vectors together
    Scratch<std::int64_t> next;     // (vectors,) into places: the first that is not yet picked
    Scratch<std::int64_t> end;      // (vectors,) one past the last
    Scratch<Bucket> bucket;         // (buckets,)
    Scratch<std::int32_t> overlap;  // (vectors,)
};

// False when memory is short.
bool gather_candidates(const std::uint64_t* rows, std::int64_t count, std::int64_t words,
                       Candidates* out) noexcept;

// Rows offsets[item]..offsets[item + 1] - 1 as (rows, words) bits: attributes above 0.5.
Status pack_rows(const BalancedSelect& args, std::int64_t item, std::uint64_t* bits) noexcept;

}  // namespace refpix::balanced
