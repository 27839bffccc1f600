#include <algorithm>
#include <memory>
#include <mutex>
#include <new>

#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/confusion_matrix/cell.h"
#include "kernels/confusion_matrix/count.h"

namespace refpix::cpu {
namespace {

// Larger matrices take one histogram a thread: four would leave the first cache.
constexpr std::int64_t most_cells_in_lanes = 1024;
// Fewer pixels are not worth waking a thread for.
constexpr std::int64_t least_pixels = 1 << 16;

#include "kernels/confusion_matrix/count_impl.h"

confusion::Count* counter() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return avx512::confusion_count;
    }
    if (active_isa() >= Isa::avx2) {
        return avx2::confusion_count;
    }
#endif
    return confusion_count;
}

Status fault_at(const ConfusionMatrix& args, std::int64_t pixel) noexcept {
    const std::int64_t bytes =
        args.gt_is_byte ? 1 : static_cast<std::int64_t>(sizeof(std::int32_t));
    return {Fault::label_negative, pixel / args.item_pixels, pixel % args.item_pixels * bytes};
}

void add(const std::int64_t* counts, std::int64_t copies, std::int64_t cells,
         std::int64_t* out) noexcept {
    for (std::int64_t copy = 0; copy < copies; ++copy) {
        for (std::int64_t cell = 0; cell < cells; ++cell) {
            out[cell] += counts[copy * cells + cell];
        }
    }
}

}  // namespace

Status confusion_matrix(const ConfusionMatrix& args) noexcept {
    const std::int64_t cells = args.num_labels * args.num_labels;
    std::fill_n(args.out, cells, 0);
    const std::int64_t slices =
        std::clamp<std::int64_t>(args.pixels / least_pixels, 1, std::max(args.threads, 1));
    const std::int64_t copies = cells <= most_cells_in_lanes ? confusion::lanes : 1;
    confusion::Count* const count_pixels = counter();
    std::mutex mutex;
    std::int64_t negative = -1;  // the lowest pixel, so that the fault does not depend on timing
    bool out_of_memory = false;
    parallel_for(slices, args.threads, [&](std::int64_t i) {
        const std::unique_ptr<std::int64_t[]> counts(new (std::nothrow)
                                                         std::int64_t[cells * copies]());
        confusion::Slice slice;
        slice.first = args.pixels * i / slices;
        slice.last = args.pixels * (i + 1) / slices;
        slice.lane_stride = copies > 1 ? cells : 0;
        slice.counts = counts.get();
        const std::int64_t found = counts ? count_pixels(args, slice) : -1;
        const std::lock_guard lock(mutex);
        if (!counts) {
            out_of_memory = true;
        } else if (found >= 0) {
            negative = negative < 0 ? found : std::min(negative, found);
        } else {
            add(slice.counts, copies, cells, args.out);
        }
    });
    if (out_of_memory) {
        return {Fault::out_of_memory, -1, -1};
    }
    return negative < 0 ? Status{} : fault_at(args, negative);
}

}  // namespace refpix::cpu
