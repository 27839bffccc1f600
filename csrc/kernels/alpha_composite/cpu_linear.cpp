#include <cmath>

#include "kernels/alpha_composite/linear.h"

namespace refpix::composite {
namespace {

double to_light(double level) {
    const double value = level / 255.0;
    return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

LinearTables make_tables() {
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

}  // namespace

const LinearTables& linear_tables() noexcept {
    static const LinearTables tables = make_tables();
    return tables;
}

}  // namespace refpix::composite
