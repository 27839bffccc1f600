// Names of options of the kernels on mattes.
#pragma once

#include <string>

#include "bindings/bind.h"
#include "kernels/alpha_composite/alpha_composite.h"

namespace refpix::bind {

inline CompositeMode composite_mode(const std::string& name) {
    if (name == "paste") {
        return CompositeMode::paste;
    }
    if (name == "rgba") {
        return CompositeMode::rgba;
    }
    if (name == "linear") {
        return CompositeMode::linear;
    }
    require(name == "float", "mode: expected paste, rgba, linear or float, got " + name);
    return CompositeMode::real;
}

}  // namespace refpix::bind
