#include <cstring>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/components.h"
#include "kernels/largest_component/largest_component.h"
#include "kernels/largest_component/row.h"

namespace refpix::cpu {
namespace {

struct Memory {
    Scratch<Components::Run> runs;
    Scratch<std::int32_t> edges;
    Scratch<std::int32_t> areas;
    Scratch<std::uint64_t> words;

    void release_large() noexcept {
        runs.release_large();
        edges.release_large();
        areas.release_large();
        words.release_large();
    }
};

// The least byte v with v / 255 above the threshold, 256 when there is none.
int least_byte(float threshold) noexcept {
    int value = 0;
    while (value < 256 && !(static_cast<float>(value) / 255.0F > threshold)) {
        ++value;
    }
    return value;
}

class Item {
  public:
    Item(const LargestComponent& args, std::int64_t item) noexcept
        : args_(args),
          item_(item),
          value_bytes_(args.is_float ? sizeof(float) : 1),
          bytes_(static_cast<std::size_t>(args.height * args.width) * value_bytes_),
          from_(static_cast<const char*>(args.alpha) + static_cast<std::size_t>(item) * bytes_),
          to_(static_cast<char*>(args.out) + static_cast<std::size_t>(item) * bytes_) {}

    Status run() noexcept {
        thread_local Memory memory;
        const Status status = run(memory);
        memory.release_large();
        return status;
    }

  private:
    Status run(Memory& memory) noexcept {
        const Status short_of_memory{Fault::out_of_memory, item_, -1};
        if (!memory.words.reserve(args_.width / 64 + 1)) {
            return short_of_memory;
        }
        const int least = args_.is_float ? 0 : least_byte(args_.threshold);
        Components parts(memory.runs, memory.edges, args_.width, args_.diagonal);
        component::Row row{from_,
                           args_.is_float,
                           args_.width,
                           args_.threshold,
                           static_cast<std::uint8_t>(least),
                           memory.words.data()};
#if defined(REFPIX_X86)
        const auto pack =
            active_isa() >= Isa::avx2 ? component::avx2::pack : component::scalar::pack;
#else
        const auto pack = component::scalar::pack;
#endif
        for (std::int64_t y = 0; least < 256 && y < args_.height; ++y) {
            row.alpha = from_ + static_cast<std::size_t>(y * args_.width) * value_bytes_;
            if (!pack(row)) {
                return not_finite();
            }
            if (!parts.add_row(row.words)) {
                return short_of_memory;
            }
        }
        Components::Largest largest;
        if (!parts.finish(memory.areas, &largest)) {
            return short_of_memory;
        }
        copy(parts, largest);
        return {};
    }

    // Without any component the map stays as it is.
    void copy(const Components& parts, const Components::Largest& largest) noexcept {
        if (largest.root < 0) {
            std::memcpy(to_, from_, bytes_);
            return;
        }
        std::memset(to_, 0, bytes_);
        for (std::int64_t i = largest.root; i < parts.count(); ++i) {
            const Components::Run& run = parts.runs()[i];
            if (run.parent == largest.root) {
                const std::size_t at =
                    static_cast<std::size_t>(run.row * args_.width + run.start) * value_bytes_;
                std::memcpy(to_ + at, from_ + at,
                            static_cast<std::size_t>(run.stop - run.start) * value_bytes_);
            }
        }
    }

    Status not_finite() const noexcept {
        const auto* values = reinterpret_cast<const float*>(from_);
        std::int64_t i = 0;
        while (values[i] - values[i] == 0) {
            ++i;
        }
        return {Fault::alpha_not_finite, item_, i * static_cast<std::int64_t>(sizeof(float))};
    }

    const LargestComponent& args_;
    std::int64_t item_;
    std::size_t value_bytes_;
    std::size_t bytes_;
    const char* from_;
    char* to_;
};

}  // namespace

Status largest_component(const LargestComponent& args) noexcept {
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(Item(args, item).run()); });
    return faults.status();
}

}  // namespace refpix::cpu
