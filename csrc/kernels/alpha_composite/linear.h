// sRGB levels to linear light and back, by tables that are the definition.
#pragma once

#include <cstdint>

namespace refpix::composite {

struct LinearTables {
    float light[256];          // linear light of an sRGB level
    float thresholds[255];     // light at level k + 1/2: from there on the level is k + 1
    std::uint8_t guess[4097];  // level at light i / 4096, from which the search starts
};

const LinearTables& linear_tables() noexcept;

// The level whose light is nearest, in sRGB levels.
inline std::uint8_t level(const LinearTables& tables, float light) noexcept {
    const float scaled = light * 4096.0F;
    std::int32_t at = tables.guess[scaled >= 4096.0F ? 4096 : static_cast<std::int32_t>(scaled)];
    while (at < 255 && light >= tables.thresholds[at]) {
        ++at;
    }
    return static_cast<std::uint8_t>(at);
}

}  // namespace refpix::composite
