// A pixel's window holds two values exactly when it holds two neighbours that differ, as the
// element is connected wherever the picture cuts it. So no greatest and least value is needed: the
// edges between neighbours, as bits, mark the pixels whose window holds both sides of them.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/trimap_from_alpha/element.h"
#include "kernels/trimap_from_alpha/rows.h"
#include "kernels/trimap_from_alpha/trimap_from_alpha.h"

namespace refpix::cpu {
namespace {

using trimap::Element;
using trimap::Reach;

struct Memory {
    Scratch<std::uint64_t> transition;  // all rows
    Scratch<std::uint64_t> edges;       // a row
    Scratch<std::uint64_t> wide;        // the same, widened

    void release_large() noexcept { transition.release_large(); }
};

// Bits moved by `columns`, or-ed into `to`; those that leave the words are lost.
void or_moved(const std::uint64_t* bits, std::int64_t words, std::int64_t columns,
              std::uint64_t* to) noexcept {
    const std::int64_t skip = (columns < 0 ? -columns : columns) / 64;
    const int shift = static_cast<int>((columns < 0 ? -columns : columns) % 64);
    if (columns >= 0) {
        for (std::int64_t i = skip; i < words; ++i) {
            const std::int64_t from = i - skip;
            const std::uint64_t carry = shift != 0 && from > 0 ? bits[from - 1] >> (64 - shift) : 0;
            to[i] |= bits[from] << shift | carry;
        }
    } else {
        for (std::int64_t i = 0; i + skip < words; ++i) {
            const std::int64_t from = i + skip;
            const std::uint64_t carry =
                shift != 0 && from + 1 < words ? bits[from + 1] << (64 - shift) : 0;
            to[i] |= bits[from] >> shift | carry;
        }
    }
}

bool any(const std::uint64_t* bits, std::int64_t words) noexcept {
    std::uint64_t all = 0;
    for (std::int64_t i = 0; i < words; ++i) {
        all |= bits[i];
    }
    return all != 0;
}

// The window [first, last] of moves that `wide` holds of `edges`.
class Widened {
  public:
    Widened(const std::uint64_t* edges, std::uint64_t* wide, std::int64_t words) noexcept
        : edges_(edges), wide_(wide), words_(words) {}

    void reach(std::int64_t first, std::int64_t last) noexcept {
        if (first_ > last_ || first > first_ || last < last_) {
            std::memset(wide_, 0, static_cast<std::size_t>(words_) * sizeof(std::uint64_t));
            first_ = first;
            last_ = first - 1;
        }
        while (first_ > first) {
            or_moved(edges_, words_, --first_, wide_);
        }
        while (last_ < last) {
            or_moved(edges_, words_, ++last_, wide_);
        }
    }

  private:
    const std::uint64_t* edges_;
    std::uint64_t* wide_;
    std::int64_t words_;
    std::int64_t first_ = 0;
    std::int64_t last_ = -1;
};

struct Canvas {
    std::uint64_t* transition;
    std::int64_t height;
    std::int64_t words;  // of a row
};

void spread(const std::uint64_t* edges, std::int64_t y, const Reach* reaches, std::int64_t count,
            std::uint64_t* wide, const Canvas& canvas) noexcept {
    if (!any(edges, canvas.words)) {
        return;
    }
    Widened widened(edges, wide, canvas.words);
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t row = y + reaches[i].down;
        if (row < 0 || row >= canvas.height) {
            continue;
        }
        widened.reach(reaches[i].first, reaches[i].last);
        std::uint64_t* to = canvas.transition + row * canvas.words;
        for (std::int64_t word = 0; word < canvas.words; ++word) {
            to[word] |= wide[word];
        }
    }
}

Status not_finite(const float* values, std::int64_t item) noexcept {
    std::int64_t i = 0;
    while (values[i] - values[i] == 0) {
        ++i;
    }
    return {Fault::alpha_not_finite, item, i * static_cast<std::int64_t>(sizeof(float))};
}
Status not_finite(const std::uint8_t*, std::int64_t) noexcept {
    return {};
}

// What a value of the type exceeds exactly when it exceeds `limit`.
float limit_of(const float*, double limit) noexcept {
    const auto near = static_cast<float>(limit);
    return static_cast<double>(near) > limit ? std::nextafterf(near, -1.0F) : near;
}
std::uint8_t limit_of(const std::uint8_t*, double limit) noexcept {
    return static_cast<std::uint8_t>(std::min(limit, 255.0));
}

template <typename T>
Status make_trimap(const TrimapFromAlpha& args, const trimap::Rows<T>& run, const Element& element,
                   std::int64_t item) noexcept {
    thread_local Memory memory;
    const std::int64_t n = args.width;
    const std::int64_t words = (n + 63) / 64;
    if (!memory.transition.reserve(words * args.height) || !memory.edges.reserve(words) ||
        !memory.wide.reserve(words)) {
        return {Fault::out_of_memory, item, -1};
    }
    const T* alpha = static_cast<const T*>(args.alpha) + item * args.height * n;
    const Canvas canvas{memory.transition.data(), args.height, words};
    std::uint64_t* edges = memory.edges.data();
    std::uint64_t* wide = memory.wide.data();
    std::memset(canvas.transition, 0,
                static_cast<std::size_t>(words * args.height) * sizeof(std::uint64_t));
    for (std::int64_t y = 0; y < args.height; ++y) {
        const T* row = alpha + y * n;
        if (run.any_not_finite(row, n)) {
            return not_finite(alpha, item);
        }
        edges[words - 1] = 0;  // the last column has no edge, and may have a word of its own
        run.differing(row, row + 1, n - 1, edges);
        spread(edges, y, element.across.data(), element.n_across, wide, canvas);
        if (y + 1 < args.height) {
            run.differing(row, row + n, n, edges);
            spread(edges, y, element.below.data(), element.n_below, wide, canvas);
        }
    }
    std::uint8_t* out = args.out + item * args.height * n;
    for (std::int64_t y = 0; y < args.height; ++y) {
        run.label(alpha + y * n, canvas.transition + y * words, n, limit_of(alpha, args.foreground),
                  out + y * n);
    }
    memory.release_large();
    return {};
}

Status make_trimap(const TrimapFromAlpha& args, const Element& element,
                   std::int64_t item) noexcept {
#if defined(REFPIX_X86)
    const bool wide = active_isa() >= Isa::avx2;
    const auto& floats = wide ? trimap::avx2::float_rows : trimap::scalar::float_rows;
    const auto& bytes = wide ? trimap::avx2::byte_rows : trimap::scalar::byte_rows;
#else
    const auto& floats = trimap::scalar::float_rows;
    const auto& bytes = trimap::scalar::byte_rows;
#endif
    return args.is_float ? make_trimap<float>(args, floats, element, item)
                         : make_trimap<std::uint8_t>(args, bytes, element, item);
}

}  // namespace

Status trimap_from_alpha(const TrimapFromAlpha& args) noexcept {
    Element element;
    if (!trimap::make_element(args.size, args.iterations, args.height, args.width, &element)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(make_trimap(args, element, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
