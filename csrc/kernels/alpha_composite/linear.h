// sRGB levels to linear light and back, by tables that are the definition.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/device.h"
#include "kernels/alpha_composite/blend.h"

namespace refpix::composite {

struct LinearTables {
    float light[256];          // linear light of an sRGB level
    float thresholds[255];     // light at level k + 1/2: from there on the level is k + 1
    std::uint8_t guess[4097];  // level at light i / 4096, from which the search starts
};

inline double to_light(double level) {
    const double value = level / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

inline LinearTables make_linear_tables() {
    LinearTables tables;
    for (int i = 0; i < 256; ++i) {
        tables.light[i] = static_cast<float>(to_light(i));
    }
    for (int i = 0; i < 255; ++i) {
        tables.thresholds[i] = static_cast<float>(to_light(i + 0.5));
    }
    for (int i = 0, at = 0; i <= 4096; ++i) {
        const float light = static_cast<float>(i) / 4096.0F;
        while (at < 255 && light >= tables.thresholds[at]) {
            ++at;
        }
        tables.guess[i] = static_cast<std::uint8_t>(at);
    }
    return tables;
}

// Always made on the host: the device is given a copy.
inline const LinearTables& linear_tables() {
    static const LinearTables tables = make_linear_tables();
    return tables;
}

// The level whose light is nearest, in sRGB levels.
REFPIX_HD inline std::uint8_t level(const LinearTables& tables, float light) {
    const float scaled = light * 4096.0F;
    std::int32_t at = tables.guess[scaled >= 4096.0F ? 4096 : static_cast<std::int32_t>(scaled)];
    while (at < 255 && light >= tables.thresholds[at]) {
        ++at;
    }
    return static_cast<std::uint8_t>(at);
}

// Through a matte that is not 0, which would leave `under` as it is.
REFPIX_HD inline std::uint8_t blend_linear(const LinearTables& tables, std::uint8_t under,
                                           std::uint8_t over, float matte) {
    return level(tables, mix(tables.light[under], tables.light[over], matte));
}

}  // namespace refpix::composite
