// Upside down: each column's changes in reverse order, the pixel above a column's first changing to
// its last. Left to right is that of the mask turned by 180 degrees, whose runs are those of the
// mask from the last to the first.
#include "kernels/rle_flip/rle_flip.h"
#include "kernels/rle_toggles.h"

namespace refpix::cpu {
namespace {

struct Scratch {
    Toggles given;
    Toggles turned;
    Toggles flipped;
    void release() noexcept {
        given.release();
        turned.release();
        flipped.release();
    }
};

void turn(const Toggles& given, std::int64_t pixels, Toggles& turned) {
    turned.clear(given.count() + 1);
    if (given.count() % 2 != 0) {
        turned.add(0);  // the last pixel is foreground
    }
    for (std::int64_t i = given.count() - 1; i >= 0; --i) {
        if (given[i] > 0) {
            turned.add(pixels - given[i]);
        }
    }
}

void upside_down(const Toggles& given, std::int64_t height, std::int64_t width, Toggles& flipped) {
    const std::int64_t count = given.count();
    flipped.clear(3 * count + 2);
    bool value = false;  // of the last pixel made
    std::int64_t next = 0;
    for (std::int64_t column = 0; column < height * width;) {
        next += next < count && given[next] == column ? 1 : 0;
        std::int64_t stop = next;  // the column's changes are next..stop
        while (stop < count && given[stop] < column + height) {
            ++stop;
        }
        if (value != (stop % 2 != 0)) {
            flipped.add(column);
        }
        value = next % 2 != 0;
        if (stop > next) {
            for (std::int64_t i = stop - 1; i >= next; --i) {
                flipped.add(2 * column + height - given[i]);
            }
            next = stop;
            column += height;
        } else if (next < count) {
            column = given[next] / height * height;  // none changes before that one
        } else {
            return;
        }
    }
}

// Not inlined: see make_each.
[[gnu::noinline]] Status flip(const RleFlip& args, std::int64_t item, Scratch& scratch,
                              Ragged<std::uint32_t>* out) {
    const Status sum = args.masks.check_item(item);
    if (!sum.ok()) {
        return sum;
    }
    const Rle mask = args.masks.item(item);
    scratch.given.read(mask);
    const bool across = args.axis == FlipAxis::horizontal;
    if (across) {
        turn(scratch.given, mask.pixels(), scratch.turned);
    }
    upside_down(across ? scratch.turned : scratch.given, mask.height, mask.width, scratch.flipped);
    return scratch.flipped.store(item, mask.pixels(), out);
}

}  // namespace

Status rle_flip(const RleFlip& args, Ragged<std::uint32_t>* out) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    return make_each<Scratch>(
        args.masks.count, args.threads, out,
        [&](std::int64_t item, Scratch& scratch) { return flip(args, item, scratch, out); });
}

}  // namespace refpix::cpu
