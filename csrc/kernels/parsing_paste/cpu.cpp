#include <cstring>
#include <memory>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/nearest.h"
#include "core/thread_pool.h"
#include "kernels/parsing_paste/parsing_paste.h"
#include "kernels/parsing_paste/region.h"
#include "kernels/parsing_paste/shuffle.h"

namespace refpix::cpu {
namespace {

// The columns of one box, worked out once for all its rows.
class Columns {
  public:
    bool allocate(std::int64_t most) noexcept {
        sources_.reset(new (std::nothrow) std::int32_t[most]);
        bases_.reset(new (std::nothrow) std::int32_t[most / shuffle_block + 1]);
        masks_.reset(new (std::nothrow) std::uint8_t[most]);
        return sources_ && bases_ && masks_;
    }

    void plan(std::int64_t n_in, std::int64_t n_out) noexcept {
        count_ = n_out;
        const float scale = nearest::torch_scale(n_in, n_out);
        for (std::int64_t x = 0; x < n_out; ++x) {
            sources_[x] = static_cast<std::int32_t>(nearest::torch_source(x, scale, n_in));
        }
        blocks_ = active_isa() >= Isa::avx2 ? plan_blocks(n_in) : 0;
    }

    void fill(const std::uint8_t* source, std::uint8_t* out) const noexcept {
#if defined(REFPIX_X86)
        avx2::shuffle_row(source, bases_.get(), masks_.get(), blocks_, out);
#endif
        for (std::int64_t x = blocks_ * shuffle_block; x < count_; ++x) {
            out[x] = source[sources_[x]];
        }
    }

  private:
    // Number of leading blocks whose sources lie within 16 bytes of the row.
    std::int64_t plan_blocks(std::int64_t n_in) noexcept {
        const std::int64_t last_base = n_in - shuffle_block;
        const std::int64_t full = last_base < 0 ? 0 : count_ / shuffle_block;
        for (std::int64_t block = 0; block < full; ++block) {
            const std::int32_t* source = &sources_[block * shuffle_block];
            const std::int64_t base = source[0] < last_base ? source[0] : last_base;
            if (source[shuffle_block - 1] - base >= shuffle_block) {
                return block;
            }
            bases_[block] = static_cast<std::int32_t>(base);
            for (std::int64_t i = 0; i < shuffle_block; ++i) {
                masks_[block * shuffle_block + i] = static_cast<std::uint8_t>(source[i] - base);
            }
        }
        return full;
    }

    std::int64_t count_ = 0;
    std::int64_t blocks_ = 0;
    std::unique_ptr<std::int32_t[]> sources_;
    std::unique_ptr<std::int32_t[]> bases_;
    std::unique_ptr<std::uint8_t[]> masks_;
};

void fill_region(const ParsingPaste& args, const paste::Region& box, const Columns& columns,
                 const std::uint8_t* map, std::uint8_t* canvas) noexcept {
    const std::int64_t box_width = box.x2 - box.x1;
    const std::int64_t box_height = box.y2 - box.y1;
    const float scale = nearest::torch_scale(args.map_height, box_height);
    std::int64_t previous = -1;
    for (std::int64_t y = 0; y < box_height; ++y) {
        const std::int64_t source = nearest::torch_source(y, scale, args.map_height);
        std::uint8_t* row = canvas + (box.y1 + y) * args.width + box.x1;
        if (source == previous) {
            std::memcpy(row, row - args.width, static_cast<std::size_t>(box_width));
        } else {
            columns.fill(map + source * args.map_width, row);
        }
        previous = source;
    }
}

Status paste_item(const ParsingPaste& args, std::int64_t item) noexcept {
    const Status status = paste::check_item(args, item);
    if (!status.ok()) {
        return status;
    }
    const std::int64_t pixels = args.height * args.width;
    std::uint8_t* canvas = args.out + item * pixels;
    std::memset(canvas, 0, static_cast<std::size_t>(pixels));
    const paste::Region box = paste::region(args.boxes + 4 * item, args.height, args.width);
    if (box.x2 == 0 || box.y2 == 0) {
        return {};
    }
    Columns columns;
    if (!columns.allocate(box.x2 - box.x1)) {
        return {Fault::out_of_memory, item, -1};
    }
    columns.plan(args.map_width, box.x2 - box.x1);
    const std::uint8_t* map = args.maps + item * args.map_height * args.map_width;
    fill_region(args, box, columns, map, canvas);
    return {};
}

}  // namespace

Status parsing_paste(const ParsingPaste& args) noexcept {
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(paste_item(args, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
