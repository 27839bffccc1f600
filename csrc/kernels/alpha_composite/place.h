// Which part of a foreground falls on its background, shared by the CPU and the device.
#pragma once

#include <cstdint>

#include "core/device.h"

namespace refpix::composite {

struct Range {
    std::int64_t start, stop;  // of the foreground, what falls on the background; may be empty

    REFPIX_HD bool empty() const { return start >= stop; }
};

// Along one axis. Positions may be anywhere: nothing is added that could overflow.
REFPIX_HD inline Range visible(std::int64_t position, std::int64_t fg_size, std::int64_t size) {
    const std::int64_t start = position >= 0 ? 0 : position <= -fg_size ? fg_size : -position;
    const std::int64_t room = position >= size ? 0 : size - (position > 0 ? position : 0);
    const std::int64_t stop = room < fg_size - start ? start + room : fg_size;
    return {start, stop};
}

}  // namespace refpix::composite
