#include <algorithm>
#include <cstring>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/tsv_split/tsv_split.h"

namespace refpix::cpu {
namespace {

// memchr of the C library is at memory speed wherever that is glibc.
const std::uint8_t* find(const std::uint8_t* from, const std::uint8_t* end, char c) noexcept {
    return static_cast<const std::uint8_t*>(
        std::memchr(from, c, static_cast<std::size_t>(end - from)));
}

// The end of a row's text: without its newline and one carriage return before it.
const std::uint8_t* text_end(const std::uint8_t* row, const std::uint8_t* end) noexcept {
    end -= end > row && end[-1] == '\n';
    end -= end > row && end[-1] == '\r';
    return end;
}

struct Columns {
    const std::int64_t* wanted;
    std::int64_t count;
    std::int64_t last = -1;     // the highest counted from the start
    std::int64_t from_end = 0;  // the farthest counted from the end, as a positive number
    Columns(const std::int64_t* columns, std::int64_t column_count) noexcept
        : wanted(columns), count(column_count) {
        for (std::int64_t k = 0; k < count; ++k) {
            last = std::max(last, wanted[k]);
            from_end = std::max(from_end, -wanted[k]);
        }
    }
};

// Walks the fields of a row, from the start as far as columns are wanted, or to the end when some
// are counted from there. Calls visit(index, start, stop); returns the fields walked.
template <typename Visit>
std::int64_t walk(const std::uint8_t* row, const std::uint8_t* end, std::int64_t last,
                  Visit&& visit) noexcept {
    std::int64_t index = 0;
    for (const std::uint8_t* start = row;; ++index) {
        const std::uint8_t* tab = find(start, end, '\t');
        const std::uint8_t* stop = tab == nullptr ? end : tab;
        if (!visit(index, start, stop)) {
            return -1;
        }
        if (tab == nullptr || index == last) {
            return index + 1;
        }
        start = tab + 1;
    }
}

Status split_row(const TsvSplit& args, const Columns& columns, std::int64_t item) noexcept {
    const std::uint8_t* const row = args.rows.data(item);
    const std::uint8_t* const end = text_end(row, row + args.rows.length(item));
    std::int64_t* const fields = args.fields + item * columns.count * 2;
    const std::uint8_t* cr = nullptr;
    const auto put = [&](std::int64_t k, const std::uint8_t* start, const std::uint8_t* stop) {
        fields[2 * k] = start - args.rows.values;
        fields[2 * k + 1] = stop - args.rows.values;
    };
    const std::int64_t walked =
        walk(row, end, columns.from_end > 0 ? -1 : columns.last,
             [&](std::int64_t index, const std::uint8_t* start, const std::uint8_t* stop) {
                 cr = args.allow_cr ? nullptr : find(start, stop, '\r');
                 for (std::int64_t k = 0; k < columns.count; ++k) {
                     if (columns.wanted[k] == index) {
                         put(k, start, stop);
                     }
                 }
                 return cr == nullptr;
             });
    if (cr != nullptr) {
        return {Fault::tsv_lone_cr, item, cr - row};
    }
    if (walked <= columns.last || walked < columns.from_end) {
        return {Fault::tsv_too_few_columns, item, end - row};
    }
    if (columns.from_end > 0) {
        walk(row, end, -1,
             [&](std::int64_t index, const std::uint8_t* start, const std::uint8_t* stop) {
                 for (std::int64_t k = 0; k < columns.count; ++k) {
                     if (columns.wanted[k] == index - walked) {
                         put(k, start, stop);
                     }
                 }
                 return true;
             });
    }
    return {};
}

}  // namespace

std::int64_t tsv_column_count(const std::uint8_t* row, std::int64_t length) noexcept {
    return walk(row, text_end(row, row + length), -1,
                [](std::int64_t, const std::uint8_t*, const std::uint8_t*) { return true; });
}

Status tsv_split(const TsvSplit& args) noexcept {
    const Status inside = args.rows.check();
    if (!inside.ok()) {
        return inside;
    }
    const Columns columns(args.columns, args.column_count);
    FirstFault faults;
    parallel_for(args.rows.count, args.threads,
                 [&](std::int64_t item) { faults.report(split_row(args, columns, item)); });
    return faults.status();
}

}  // namespace refpix::cpu
