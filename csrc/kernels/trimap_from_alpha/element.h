// OpenCV's ellipse applied several times, as rows of offsets, and what it makes of edges.
#pragma once

#include <cstdint>

#include "core/scratch.h"

namespace refpix::trimap {

// An edge in row y, column x marks the pixels from x + first to x + last of row y + down.
struct Reach {
    std::int32_t down;
    std::int32_t first;
    std::int32_t last;
};

struct Element {
    Scratch<Reach> across;  // for an edge between columns x and x + 1
    Scratch<Reach> below;   // for an edge between rows y and y + 1
    std::int64_t n_across = 0;
    std::int64_t n_below = 0;
};

// Both lists from the narrowest reach to the widest, each within the next; nothing reaches further
// than the map is large. False when memory is short.
bool make_element(std::int64_t size, std::int64_t iterations, std::int64_t height,
                  std::int64_t width, Element* element) noexcept;

}  // namespace refpix::trimap
