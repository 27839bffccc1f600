// Results of normalising kernels on a device.
#pragma once

#include <string>

#include "bindings/cuda/device_array.h"
#include "kernels/image_normalize/image_normalize.h"

namespace refpix::bind {

struct NormalizedType {
    const char* dtype;     // torch's name
    const char* accepted;  // bfloat16 travels as "V2", or as its bits
};

inline NormalizedType normalized_type(NormalizeType type) {
    switch (type) {
        case NormalizeType::float32:
            return {"float32", "f4"};
        case NormalizeType::float16:
            return {"float16", "f2"};
        case NormalizeType::bfloat16:
            break;
    }
    return {"bfloat16", "V2 u2"};
}

}  // namespace refpix::bind
