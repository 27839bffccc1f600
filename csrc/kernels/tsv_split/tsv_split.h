// Rows to fields: where each column asked for begins and ends.
#pragma once

#include <cstdint>

#include "core/spans.h"

namespace refpix {

struct TsvSplit {
    Spans rows;
    const std::int64_t* columns = nullptr;  // (column_count,), negative ones count from the end
    std::int64_t column_count = 0;
    bool allow_cr = false;  // a carriage return inside a row is an ordinary character
    int threads = 1;
    std::int64_t* fields = nullptr;  // (rows.count, column_count, 2): start, stop in rows.values
};

namespace cpu {
// How many columns one row has. Never fails: an empty row has one, empty.
std::int64_t tsv_column_count(const std::uint8_t* row, std::int64_t length) noexcept;
Status tsv_split(const TsvSplit& args) noexcept;
}  // namespace cpu

}  // namespace refpix
