// Of every matte, the largest connected part.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

struct LargestComponent {
    const void* alpha = nullptr;  // (count, height, width), float or uint8
    bool is_float = true;
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    float threshold = 0;  // in units of alpha / full scale
    bool diagonal = true;
    int threads = 1;
    void* out = nullptr;  // like alpha, apart from it
};

namespace cpu {
Status largest_component(const LargestComponent& args) noexcept;
}  // namespace cpu

}  // namespace refpix
