#include <cstdlib>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/scratch.h"
#include "core/thread_pool.h"
#include "kernels/rle_bits.h"
#include "kernels/rle_extent.h"
#include "kernels/rle_intersection.h"
#include "kernels/rle_iou/rle_iou.h"

namespace refpix {
namespace rle {

namespace scalar {

std::int64_t count_shared(const std::uint64_t* a, const std::uint64_t* b,
                          std::int64_t words) noexcept {
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < words; ++i) {
        // Not __builtin_popcountll: without the instruction it is a call and a table.
        std::uint64_t bits = a[i] & b[i];
        bits -= bits >> 1 & 0x5555555555555555;
        bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
        bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
        count += static_cast<std::int64_t>(bits * 0x0101010101010101 >> 56);
    }
    return count;
}

}  // namespace scalar

CountShared* count_shared_path() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return avx512::count_shared;
    }
    if (active_isa() >= Isa::avx2) {
        return avx2::count_shared;
    }
#endif
    return scalar::count_shared;
}

}  // namespace rle

namespace {

struct Item {
    rle::Extent extent;
    rle::Bits bits;
    Rle mask;
    std::int64_t place = 0;  // of its bits in its block's

    bool packable() const noexcept { return rle::worth_packing(extent, mask.runs); }
    // That its bits take up.
    std::int64_t words() const noexcept {
        return packable() ? (extent.stop + 63) / 64 - extent.first / 64 + rle::spare_words : 0;
    }
};

bool boxes_overlap(const rle::Extent& a, const rle::Extent& b) noexcept {
    // Without branches: where boxes lie is not predictable, that most do not overlap is.
    const bool x = (a.x0 < b.x1) & (b.x0 < a.x1);
    const bool y = (a.y0 < b.y1) & (b.y0 < a.y1);
    return x & y;
}

bool same_size(const Rle& a, const Rle& b) noexcept {
    return a.height == b.height && a.width == b.width;
}

// dt and gt as one list.
struct Both {
    const RleIou& args;

    std::int64_t count() const noexcept { return args.dt.count + args.gt.count; }
    Rle item(std::int64_t i) const noexcept {
        return i < args.dt.count ? args.dt.item(i) : args.gt.item(i - args.dt.count);
    }
    Status check() const noexcept {
        const Status status = args.dt.check();
        return status.ok() ? of_gt(args.gt.check()) : status;
    }
    Status check_item(std::int64_t i) const noexcept {
        return i < args.dt.count ? args.dt.check_item(i)
                                 : of_gt(args.gt.check_item(i - args.dt.count));
    }
    Status check_sizes() const noexcept {
        if (args.dt.count > 0 && args.gt.count > 0) {
            for (std::int64_t i = 1; i < count(); ++i) {
                if (!same_size(item(0), item(i))) {
                    return {Fault::rle_size_mismatch, i, -1};
                }
            }
        }
        return {};
    }
    Status of_gt(Status status) const noexcept {
        status.item += status.item >= 0 ? args.dt.count : 0;
        return status;
    }
    // Runs, boxes and areas of all.
    Status look(Item* items) const noexcept {
        FirstFault faults;
        parallel_for(count(), args.threads, [&](std::int64_t i) {
            const Status status = check_item(i);
            items[i].mask = item(i);
            if (status.ok()) {
                items[i].extent = rle::extent(items[i].mask);
            }
            faults.report(status);
        });
        return faults.status();
    }
};

double iou(const Item& dt, const Item& gt, bool crowd, rle::CountShared* count) noexcept {
    if (!boxes_overlap(dt.extent, gt.extent)) {
        return 0;
    }
    if (!same_size(dt.mask, gt.mask)) {
        return -1;
    }
    const std::int64_t shared = dt.bits.words != nullptr && gt.bits.words != nullptr
                                    ? rle::intersection(dt.bits, gt.bits, count)
                                    : rle::intersection(dt.mask, gt.mask);
    if (shared == 0) {
        return 0;
    }
    const std::int64_t whole = crowd ? dt.extent.area : dt.extent.area + gt.extent.area - shared;
    return static_cast<double>(shared) / static_cast<double>(whole);
}

// Consecutive items whose bits are held at one time.
struct Block {
    std::int64_t start;
    std::int64_t stop;
    std::int64_t words;
};

// From `start` as many items as have at most `most_words` together, one at least.
Block block_of(const Item* items, std::int64_t start, std::int64_t count, std::int64_t most_items,
               std::int64_t most_words) noexcept {
    Block block{start, start, 0};
    while (block.stop < count && block.stop - start < most_items) {
        const std::int64_t words = items[block.stop].words();
        if (block.stop > start && block.words + words > most_words) {
            break;
        }
        block.words += words;
        ++block.stop;
    }
    return block;
}

// Makes the bits of a block's items, one after the other in `words`. Where memory is short, items
// stay as they are: runs will do.
void pack_block(Item* items, const Block& block, int threads,
                Scratch<std::uint64_t>& words) noexcept {
    const bool room = words.reserve(block.words + 1);
    std::int64_t at = 0;
    for (std::int64_t i = block.start; i < block.stop; ++i) {
        items[i].place = at;
        at += items[i].words();
    }
    std::uint64_t* const to = words.data();
    parallel_for(block.stop - block.start, threads, [&](std::int64_t i) {
        Item& item = items[block.start + i];
        item.bits = room && item.packable() ? rle::pack(item.mask, item.extent, to + item.place)
                                            : rle::Bits{};
    });
}

constexpr std::int64_t dt_block_words = std::int64_t{1} << 16;  // 512 KiB: stays in L2
constexpr std::int64_t gt_block_words = std::int64_t{1} << 23;  // 64 MiB: bounds memory

void compare(const RleIou& args, const Item* dt, const Item* gt, const Block& dts,
             const Block& gts) noexcept {
    rle::CountShared* const count = rle::count_shared_path();
    for (std::int64_t g = gts.start; g < gts.stop; ++g) {
        const bool crowd = args.iscrowd[g] != 0;
        double* const out = args.out + g * args.out_stride_gt;
        for (std::int64_t d = dts.start; d < dts.stop; ++d) {
            out[d * args.out_stride_dt] = iou(dt[d], gt[g], crowd, count);
        }
    }
}

// Blocks of detections go to threads, each against all of a block of ground truth, which stay in
// cache the while.
void compare_all(const RleIou& args, Item* dt, Item* gt, Block* blocks) noexcept {
    const std::int64_t shares = args.threads > 1 ? 8 * std::int64_t{args.threads} : 1;
    const std::int64_t most_items = args.dt.count / shares + 1;
    std::int64_t block_count = 0;
    for (std::int64_t d = 0; d < args.dt.count; d = blocks[block_count++].stop) {
        blocks[block_count] = block_of(dt, d, args.dt.count, most_items, dt_block_words);
    }
    Scratch<std::uint64_t> gt_words;
    for (std::int64_t g = 0; g < args.gt.count;) {
        const Block gts = block_of(gt, g, args.gt.count, args.gt.count, gt_block_words);
        pack_block(gt, gts, args.threads, gt_words);
        parallel_for(block_count, args.threads, [&](std::int64_t i) {
            // Kept: mapping and unmapping pages for each block, threads wait for one another.
            thread_local Scratch<std::uint64_t> dt_words;
            pack_block(dt, blocks[i], 1, dt_words);
            compare(args, dt, gt, blocks[i], gts);
            dt_words.release_large();
        });
        g = gts.stop;
    }
}

}  // namespace

namespace cpu {

Status rle_iou(const RleIou& args) noexcept {
    const Both both{args};
    Status status = both.check();
    if (!status.ok()) {
        return status;
    }
    auto* const items = new (std::nothrow) Item[static_cast<std::size_t>(both.count())];
    auto* const blocks = new (std::nothrow) Block[static_cast<std::size_t>(args.dt.count)];
    status =
        items != nullptr && blocks != nullptr ? both.look(items) : Status{Fault::out_of_memory};
    if (status.ok() && args.strict) {
        status = both.check_sizes();
    }
    if (status.ok()) {
        compare_all(args, items, items + args.dt.count, blocks);
    }
    delete[] blocks;
    delete[] items;
    return status;
}

}  // namespace cpu
}  // namespace refpix
