#include <cstring>

#include "core/thread_pool.h"
#include "kernels/alpha_bbox/alpha_bbox.h"

namespace refpix::cpu {
namespace {

constexpr std::int64_t word = sizeof(std::uint64_t);

std::uint64_t load(const std::uint8_t* at) noexcept {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

// First index in [0, stop) that is not zero, or stop.
std::int64_t first_set(const std::uint8_t* row, std::int64_t stop) noexcept {
    std::int64_t i = 0;
    for (; i + 4 * word <= stop; i += 4 * word) {
        if ((load(row + i) | load(row + i + word) | load(row + i + 2 * word) |
             load(row + i + 3 * word)) != 0) {
            break;
        }
    }
    while (i < stop && row[i] == 0) {
        ++i;
    }
    return i;
}

// One past the last index in [start, stop) that is not zero, or start.
std::int64_t last_set(const std::uint8_t* row, std::int64_t start, std::int64_t stop) noexcept {
    std::int64_t i = stop;
    for (; i - 4 * word >= start; i -= 4 * word) {
        if ((load(row + i - word) | load(row + i - 2 * word) | load(row + i - 3 * word) |
             load(row + i - 4 * word)) != 0) {
            break;
        }
    }
    while (i > start && row[i - 1] == 0) {
        --i;
    }
    return i;
}

// Rows are looked at only where they could widen the box.
void bbox(const std::uint8_t* matte, std::int64_t height, std::int64_t width,
          std::int64_t* out) noexcept {
    std::int64_t top = 0;
    std::int64_t left = width;
    while (top < height && (left = first_set(matte + top * width, width)) == width) {
        ++top;
    }
    if (top == height) {
        out[0] = out[1] = out[2] = out[3] = 0;
        return;
    }
    std::int64_t bottom = height - 1;
    while (first_set(matte + bottom * width, width) == width) {
        --bottom;
    }
    std::int64_t right = left + 1;
    for (std::int64_t y = top; y <= bottom; ++y) {
        const std::uint8_t* row = matte + y * width;
        left = first_set(row, left);
        right = last_set(row, right, width);
    }
    out[0] = left;
    out[1] = top;
    out[2] = right - left;
    out[3] = bottom - top + 1;
}

}  // namespace

Status alpha_bbox(const AlphaBbox& args) noexcept {
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        bbox(args.mattes + item * args.height * args.width, args.height, args.width,
             args.out + 4 * item);
    });
    return {};
}

}  // namespace refpix::cpu
