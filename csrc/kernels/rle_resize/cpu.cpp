// The source row of an output row never descends, nor does that of columns. So a change at a source
// row is one at the first output row that shows that row or a later one, and columns are made once
// and repeated. Columns without a change are passed over together.
#include <algorithm>
#include <vector>

#include "core/nearest.h"
#include "kernels/rle_resize/rle_resize.h"
#include "kernels/rle_toggles.h"

namespace refpix::cpu {
namespace {

// Where source lines appear first: entry i is the first output line that shows source line i or a
// later one; entry n_in is n_out. Kept, as masks of one picture follow one another.
class FirstShown {
  public:
    void make(std::int64_t n_in, std::int64_t n_out, MaskResizeRule rule) {
        if (n_in == n_in_ && n_out == n_out_ && rule == rule_) {
            return;
        }
        n_in_ = -1;  // should memory be short
        first_.resize(static_cast<std::size_t>(n_in) + 1);
        next_ = 0;
        switch (rule) {
            case MaskResizeRule::torch: {
                const float scale = nearest::torch_scale(n_in, n_out);
                for (std::int64_t line = 0; line < n_out; ++line) {
                    show(line, nearest::torch_source(line, scale, n_in));
                }
                break;
            }
            case MaskResizeRule::opencv: {
                const double scale = nearest::opencv_scale(n_in, n_out);
                for (std::int64_t line = 0; line < n_out; ++line) {
                    show(line, nearest::opencv_source(line, scale, n_in));
                }
                break;
            }
            case MaskResizeRule::pillow: {
                nearest::PillowSources sources(n_in, n_out);
                for (std::int64_t line = 0; line < n_out; ++line) {
                    show(line, sources.next());
                }
                break;
            }
        }
        show(n_out, n_in);
        n_in_ = n_in;
        n_out_ = n_out;
        rule_ = rule;
    }
    std::int64_t operator[](std::int64_t line) const noexcept { return first_[line]; }
    void release() noexcept {
        release_if_large(first_);
        if (first_.empty()) {
            n_in_ = -1;
        }
    }

  private:
    void show(std::int64_t line, std::int64_t source) noexcept {
        for (; next_ <= source; ++next_) {
            first_[next_] = line;
        }
    }

    std::vector<std::int64_t> first_;
    std::int64_t next_ = 0;
    std::int64_t n_in_ = -1;
    std::int64_t n_out_ = -1;
    MaskResizeRule rule_ = MaskResizeRule::torch;
};

struct Scratch {
    Toggles given;
    Toggles resized;
    Toggles rows;  // changes of one column
    FirstShown row_shown;
    FirstShown column_shown;
    void release() noexcept {
        given.release();
        resized.release();
        rows.release();
        row_shown.release();
        column_shown.release();
    }
};

// Output columns from..to, all alike, which change at scratch.rows and begin with `value`. Returns
// the value they end with.
bool repeat(Scratch& scratch, std::int64_t from, std::int64_t to, std::int64_t height, bool value,
            bool before) {
    const Toggles& rows = scratch.rows;
    std::int64_t begin = 0;
    std::int64_t end = rows.count();
    if (end > 0 && rows[0] == 0) {
        value = !value;
        begin = 1;
    }
    if (end > begin && rows[end - 1] == height) {
        --end;
    }
    const bool last = value != ((end - begin) % 2 != 0);
    scratch.resized.grow((to - from) * (end - begin + 1));
    for (std::int64_t column = from; column < to; ++column) {
        if (before != value) {
            scratch.resized.add(column * height);
        }
        for (std::int64_t i = begin; i < end; ++i) {
            scratch.resized.add(column * height + rows[i]);
        }
        before = last;
    }
    return before;
}

void resize_changes(const Rle& mask, std::int64_t height, Scratch& scratch) {
    const Toggles& given = scratch.given;
    const std::int64_t count = given.count();
    scratch.rows.clear(std::min(count, mask.height) + 1);
    scratch.resized.clear(count + 1);
    bool value = false;  // of the last pixel made
    std::int64_t next = 0;
    std::int64_t start = 0;  // the column's first pixel
    for (std::int64_t column = 0; column < mask.width;) {
        next += next < count && given[next] == start ? 1 : 0;
        const bool top = next % 2 != 0;
        scratch.rows.drop();
        std::int64_t after = column + 1;
        if (next < count && given[next] < start + mask.height) {
            for (; next < count && given[next] < start + mask.height; ++next) {
                scratch.rows.add(scratch.row_shown[given[next] - start]);
            }
        } else {
            after = next < count ? given[next] / mask.height : mask.width;
        }
        const std::int64_t from = scratch.column_shown[column];
        const std::int64_t to = scratch.column_shown[after];
        if (from < to) {
            value = repeat(scratch, from, to, height, top, value);
        }
        column = after;
        start = column * mask.height;
    }
}

// Not inlined: see make_each.
[[gnu::noinline]] Status resize(const RleResize& args, std::int64_t item, Scratch& scratch,
                                Ragged<std::uint32_t>* out) {
    const Status sum = args.masks.check_item(item);
    if (!sum.ok()) {
        return sum;
    }
    const Rle mask = args.masks.item(item);
    const std::int64_t height = args.new_sizes[2 * item];
    const std::int64_t width = args.new_sizes[2 * item + 1];
    if (!mask_size_ok(height, width)) {
        return {Fault::rle_bad_size, item, -1};
    }
    if (height == 0 || width == 0 || mask.pixels() == 0) {
        return {Fault::bad_size, item, -1};
    }
    scratch.row_shown.make(mask.height, height, args.rule);
    scratch.column_shown.make(mask.width, width, args.rule);
    scratch.given.read(mask);
    resize_changes(mask, height, scratch);
    return scratch.resized.store(item, height * width, out);
}

}  // namespace

Status rle_resize(const RleResize& args, Ragged<std::uint32_t>* out) noexcept {
    const Status bounds = args.masks.check();
    if (!bounds.ok()) {
        return bounds;
    }
    return make_each<Scratch>(
        args.masks.count, args.threads, out,
        [&](std::int64_t item, Scratch& scratch) { return resize(args, item, scratch, out); });
}

}  // namespace refpix::cpu
