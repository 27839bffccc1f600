// Where a pixel of the picture lands among those of the crop, both counted down the columns, never
// descends: what lies above, below or beside the box goes to its edge. So every position at which
// the mask changes is mapped, and those that fall together cancel.
#include "kernels/rle_crop/rle_crop.h"
#include "kernels/rle_toggles.h"

namespace refpix::cpu {
namespace {

struct Scratch {
    Toggles toggles;
    void release() noexcept { toggles.release(); }
};

struct Box {
    std::int64_t left, top, right, bottom;

    std::int64_t height() const noexcept { return bottom - top; }
    bool inside(const Rle& mask) const noexcept {
        return 0 <= left && left < right && right <= mask.width && 0 <= top && top < bottom &&
               bottom <= mask.height;
    }
};

void map_changes(const Rle& mask, const Box& box, Toggles& toggles) noexcept {
    const std::int64_t begin = box.left * mask.height;
    const std::int64_t end = box.right * mask.height;
    std::int64_t position = 0;
    std::int64_t run = 0;
    for (; run < mask.runs && position + mask.counts[run] <= begin; ++run) {
        position += mask.counts[run];
    }
    if (run % 2 != 0) {
        toggles.add(0);
    }
    std::int64_t column = begin;  // where the current one begins
    std::int64_t landed = 0;      // and where its first pixel lands
    for (; run < mask.runs; ++run) {
        position += mask.counts[run];
        if (position >= end) {
            break;
        }
        if (position - column >= mask.height) {
            const std::int64_t columns =
                position - column < 2 * mask.height ? 1 : (position - column) / mask.height;
            column += columns * mask.height;
            landed += columns * box.height();
        }
        const std::int64_t row = position - column - box.top;
        toggles.add(landed + (row < 0 ? 0 : row < box.height() ? row : box.height()));
    }
}

// Not inlined: see make_each.
[[gnu::noinline]] Status crop(const RleCrop& args, std::int64_t item, Scratch& scratch,
                              Ragged<std::uint32_t>* out) {
    const Status sum = args.masks.check_item(item);
    if (!sum.ok()) {
        return sum;
    }
    const Rle mask = args.masks.item(item);
    const std::int64_t* const sides = args.boxes + 4 * item;
    const Box box{sides[0], sides[1], sides[2], sides[3]};
    if (!box.inside(mask)) {
        return {Fault::rle_bad_box, item, -1};
    }
    if (args.out_sizes != nullptr) {
        args.out_sizes[2 * item] = box.height();
        args.out_sizes[2 * item + 1] = box.right - box.left;
    }
    scratch.toggles.clear(mask.runs + 1);
    map_changes(mask, box, scratch.toggles);
    return scratch.toggles.store(item, box.height() * (box.right - box.left), out);
}

}  // namespace

Status rle_crop(const RleCrop& args, Ragged<std::uint32_t>* out) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    return make_each<Scratch>(
        args.masks.count, args.threads, out,
        [&](std::int64_t item, Scratch& scratch) { return crop(args, item, scratch, out); });
}

}  // namespace refpix::cpu
