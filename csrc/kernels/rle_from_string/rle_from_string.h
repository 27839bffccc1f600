// COCO's compressed run lengths to numbers.
#pragma once

#include <cstdint>

#include "core/ragged.h"
#include "core/spans.h"

namespace refpix {

struct RleFromString {
    Spans text;
    int threads = 1;
};

namespace cpu {
// counts: one item per text.
Status rle_from_string(const RleFromString& args, Ragged<std::uint32_t>* counts) noexcept;
}  // namespace cpu

}  // namespace refpix
