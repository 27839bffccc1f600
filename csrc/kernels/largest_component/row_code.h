// What cpu_scalar.cpp and cpu_avx2.cpp compile.
#pragma once

#include "kernels/bit_rows.h"
#include "kernels/largest_component/row.h"

namespace refpix::component {
namespace {

inline bool pack_row(const Row& row) noexcept {
    if (!row.is_float) {
        reaching(static_cast<const std::uint8_t*>(row.alpha), row.width, row.least, row.words);
        return true;
    }
    const auto* alpha = static_cast<const float*>(row.alpha);
    above(alpha, row.width, row.limit, row.words);
    return !any_not_finite(alpha, row.width);
}

}  // namespace
}  // namespace refpix::component
