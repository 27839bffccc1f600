// Union or intersection of groups of masks given as run lengths.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/rle.h"

namespace refpix {

struct RleMerge {
    Rles masks;
    const std::int64_t* groups = nullptr;  // (group_count + 1,): group j is items groups[j] up to
    std::int64_t group_count = 0;          // groups[j + 1]
    bool intersect = false;
    int threads = 1;
    std::int64_t* sizes = nullptr;  // out, (group_count, 2); 0 x 0 for an empty group
};

namespace cpu {
// counts: one item per group.
Status rle_merge(const RleMerge& args, Ragged<std::uint32_t>* counts) noexcept;
}  // namespace cpu

}  // namespace refpix
