#include <cstring>
#include <memory>
#include <new>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/label_zoom/label_zoom.h"
#include "kernels/label_zoom/sources.h"

namespace refpix::cpu {
namespace {

// Source index of every output row or column.
void plan(ZoomRule rule, std::int64_t n_in, std::int64_t n_out, std::int32_t* out) noexcept {
    const zoom::Sources sources(rule, n_in, n_out);
    for (std::int64_t i = 0; i < n_out; ++i) {
        out[i] = static_cast<std::int32_t>(sources.of(i));
    }
}

// False when a label does not fit; `bad` is then its column.
template <typename T>
bool fill_row(const T* row, const std::int32_t* sources, std::int64_t count, std::int32_t* out,
              std::int32_t* bad) noexcept {
    bool fits = true;
    for (std::int64_t x = 0; x < count; ++x) {
        const T label = row[sources[x]];
        out[x] = static_cast<std::int32_t>(label);
        if constexpr (sizeof(T) > sizeof(std::int32_t)) {
            fits &= out[x] == label;
        }
    }
    if (!fits) {
        std::int64_t x = 0;
        while (out[x] == row[sources[x]]) {
            ++x;
        }
        *bad = sources[x];
    }
    return fits;
}

template <typename T>
Status zoom_item(const LabelZoom& args, std::int64_t item) noexcept {
    const std::int64_t n_rows = args.sizes[2 * item];
    const std::int64_t n_columns = args.sizes[2 * item + 1];
    const T* map = static_cast<const T*>(args.values) + args.offsets[item];
    const std::unique_ptr<std::int32_t[]> sources(new (std::nothrow)
                                                      std::int32_t[args.height + args.width]);
    if (!sources) {
        return {Fault::out_of_memory, item, -1};
    }
    const std::int32_t* rows = sources.get();
    const std::int32_t* columns = rows + args.height;
    plan(args.rule, n_rows, args.height, sources.get());
    plan(args.rule, n_columns, args.width, sources.get() + args.height);
    std::int64_t inside = args.width;
    while (inside > 0 && columns[inside - 1] < 0) {
        --inside;
    }
    const auto row_bytes = static_cast<std::size_t>(args.width) * sizeof(std::int32_t);
    std::int32_t* out = args.out + item * args.height * args.width;
    for (std::int64_t y = 0; y < args.height; ++y, out += args.width) {
        if (rows[y] < 0) {
            std::memset(out, 0, row_bytes);
            continue;
        }
        if (y > 0 && rows[y] == rows[y - 1]) {
            std::memcpy(out, out - args.width, row_bytes);
            continue;
        }
        const std::int64_t start = rows[y] * n_columns;
        std::int32_t bad = 0;
        if (!fill_row(map + start, columns, inside, out, &bad)) {
            return {Fault::label_too_large, item,
                    (start + bad) * static_cast<std::int64_t>(sizeof(T))};
        }
        std::memset(out + inside, 0,
                    static_cast<std::size_t>(args.width - inside) * sizeof(std::int32_t));
    }
    return {};
}

Status check(const LabelZoom& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = zoom::check_item(args, item);
        if (!status.ok()) {
            return status;
        }
    }
    return {};
}

Status zoom_any(const LabelZoom& args, std::int64_t item) noexcept {
    switch (args.type) {
        case LabelType::uint8:
            return zoom_item<std::uint8_t>(args, item);
        case LabelType::int16:
            return zoom_item<std::int16_t>(args, item);
        case LabelType::int32:
            return zoom_item<std::int32_t>(args, item);
        case LabelType::int64:
            break;
    }
    return zoom_item<std::int64_t>(args, item);
}

}  // namespace

Status label_zoom(const LabelZoom& args) noexcept {
    const Status sizes = check(args);
    if (!sizes.ok()) {
        return sizes;
    }
    FirstFault faults;
    parallel_for(args.count, args.threads,
                 [&](std::int64_t item) { faults.report(zoom_any(args, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
