#include <cstring>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/alpha_connectivity/rows.h"
#include "kernels/components.h"

namespace refpix::cpu {
namespace {

using connectivity::Row;
using connectivity::Rows;
using connectivity::steps;

struct Memory {
    Scratch<Components::Run> runs;
    Scratch<std::int32_t> edges;
    Scratch<std::int32_t> areas;
    Scratch<std::uint64_t> words;
    Scratch<std::uint8_t> levels;
    Scratch<std::uint8_t> kept;
    Scratch<float> terms;

    bool reserve(std::int64_t pixels, std::int64_t width) noexcept {
        return words.reserve(width / 64 + 1) && levels.reserve(pixels) && kept.reserve(pixels) &&
               terms.reserve(width);
    }
    void release_large() noexcept {
        runs.release_large();
        edges.release_large();
        areas.release_large();
        words.release_large();
        levels.release_large();
        kept.release_large();
        terms.release_large();
    }
};

// A value held as float reaches `threshold` exactly when it reaches this.
float least_float(double threshold) noexcept {
    const auto near = static_cast<float>(threshold);
    return static_cast<double>(near) < threshold ? __builtin_nextafterf(near, 2.0F) : near;
}

class Item {
  public:
    Item(const AlphaConnectivity& args, std::int64_t item, Memory& memory) noexcept
        : maps_(args.maps),
          item_(item),
          memory_(memory),
          pixels_(maps_.height * maps_.width),
          sums_(args.errors + item * trimap_labels) {
#if defined(REFPIX_X86)
        rows_ = active_isa() >= Isa::avx2 ? &connectivity::avx2::rows : &connectivity::scalar::rows;
#else
        rows_ = &connectivity::scalar::rows;
#endif
    }

    Status run() noexcept {
        sums_[0] = sums_[1] = sums_[2] = 0;
        if (!memory_.reserve(pixels_, maps_.width)) {
            return {Fault::out_of_memory, item_, -1};
        }
        if (!find_levels()) {
            const Row first = row(0);
            return alpha_fault(first.pred, first.gt, first.trimap, pixels_, item_);
        }
        std::memset(memory_.kept.data(), 0, static_cast<std::size_t>(pixels_));
        bool inside = true;
        for (int level = 1; inside && level <= steps; ++level) {
            if (!keep_largest(level, &inside)) {
                return {Fault::out_of_memory, item_, -1};
            }
        }
        for (std::int64_t y = 0; y < maps_.height; ++y) {
            rows_->add(row(y), memory_.kept.data() + y * maps_.width, memory_.terms.data(), sums_);
        }
        return {};
    }

  private:
    Row row(std::int64_t y) const noexcept {
        const std::int64_t at = item_ * pixels_ + y * maps_.width;
        return {maps_.pred + at, maps_.gt + at,
                maps_.trimap == nullptr ? nullptr : maps_.trimap + at, maps_.width};
    }

    bool find_levels() noexcept {
        float thresholds[steps];
        for (int i = 0; i < steps; ++i) {
            thresholds[i] = least_float((i + 1) * 0.1);
        }
        for (std::int64_t y = 0; y < maps_.height; ++y) {
            if (!rows_->levels(row(y), thresholds, memory_.levels.data() + y * maps_.width)) {
                return false;
            }
        }
        return true;
    }

    // Marks the largest part of those pixels that reach a level. A part lies wholly within one
    // part of the level below; is that not the largest one, no pixel is inside all so far, nor
    // will any be: then, and when nothing reaches the level, `inside` becomes false.
    bool keep_largest(int level, bool* inside) noexcept {
        Components parts(memory_.runs, memory_.edges, maps_.width, false);
        for (std::int64_t y = 0; y < maps_.height; ++y) {
            rows_->reaching(memory_.levels.data() + y * maps_.width, maps_.width, level,
                            memory_.words.data());
            if (!parts.add_row(memory_.words.data())) {
                return false;
            }
        }
        Components::Largest largest;
        if (!parts.finish(memory_.areas, &largest)) {
            return false;
        }
        if (largest.root < 0) {
            *inside = false;
            return true;
        }
        std::uint8_t* kept = memory_.kept.data();
        const Components::Run* runs = parts.runs();
        const Components::Run& first = runs[largest.root];
        *inside = kept[first.row * maps_.width + first.start] == level - 1;
        for (std::int64_t i = largest.root; *inside && i < parts.count(); ++i) {
            if (runs[i].parent == largest.root) {
                std::memset(kept + runs[i].row * maps_.width + runs[i].start, level,
                            static_cast<std::size_t>(runs[i].stop - runs[i].start));
            }
        }
        return true;
    }

    const AlphaPairs& maps_;
    std::int64_t item_;
    Memory& memory_;
    std::int64_t pixels_;
    double* sums_;
    const Rows* rows_;
};

Status sum_item(const AlphaConnectivity& args, std::int64_t item) noexcept {
    thread_local Memory memory;
    const Status status = Item(args, item, memory).run();
    memory.release_large();
    return status;
}

}  // namespace

Status alpha_connectivity(const AlphaConnectivity& args) noexcept {
    FirstFault faults;
    parallel_for(args.maps.count, args.threads,
                 [&](std::int64_t item) { faults.report(sum_item(args, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
