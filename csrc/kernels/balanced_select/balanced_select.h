// Rows picked one after another so that their attributes are as balanced as can be.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

enum class AttributeType { byte, float32, float64 };

struct BalancedSelect {
    const void* vectors = nullptr;  // (vectors_count, width)
    AttributeType type = AttributeType::byte;
    std::int64_t vectors_count = 0;
    std::int64_t width = 0;
    const std::int64_t* rows = nullptr;     // (rows_count,), of vectors, class by class
    const std::int64_t* offsets = nullptr;  // (classes + 1,)
    std::int64_t rows_count = 0;
    std::int64_t classes = 0;
    std::int64_t count = 0;  // picks per class
    int threads = 1;
    std::int64_t* out = nullptr;  // (classes, count), of vectors
};

namespace cpu {
Status balanced_select(const BalancedSelect& args) noexcept;
}  // namespace cpu

}  // namespace refpix
