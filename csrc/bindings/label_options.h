// Names of options that kernels of label maps take.
#pragma once

#include <string>
#include <utility>

#include "bindings/bind.h"
#include "kernels/label_zoom/label_zoom.h"

namespace refpix::bind {

inline LabelType label_type(const std::string& type) {
    return type == "u1"   ? LabelType::uint8
           : type == "i2" ? LabelType::int16
           : type == "i4" ? LabelType::int32
                          : LabelType::int64;
}

inline ZoomRule zoom_rule(const std::string& name) {
    require(name == "scipy" || name == "torch", "rule: expected 'scipy' or 'torch', got " + name);
    return name == "scipy" ? ZoomRule::scipy : ZoomRule::torch;
}

// Height and width of something to be made.
inline void require_size(const std::pair<std::int64_t, std::int64_t>& size, const char* name) {
    require(size.first > 0 && size.second > 0, std::string(name) + ": must be positive");
    require(size.first <= INT32_MAX && size.second <= INT32_MAX, std::string(name) + ": too large");
}

}  // namespace refpix::bind
