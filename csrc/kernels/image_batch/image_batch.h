// The main job: encoded payloads to a normalised batch, in one go per image.
//
// A fused kernel: it calls the inner functions of base64_decode, jpeg_decode, image_resize and
// image_normalize; nothing but the decoded picture and a few rows lies between payload and batch.
#pragma once

#include <cstdint>

#include "core/spans.h"
#include "kernels/image_normalize/image_normalize.h"
#include "kernels/image_resize/image_resize.h"

namespace refpix {

struct ImageBatch {
    Spans payloads;
    bool base64 = true;  // payloads are base64 text, not the image's bytes
    std::int64_t out_height = 0;
    std::int64_t out_width = 0;
    ResizeFilter filter = ResizeFilter::bicubic;
    PassOrder order = PassOrder::pillow13;
    float mean[3] = {0.5f, 0.5f, 0.5f};
    float std[3] = {0.5f, 0.5f, 0.5f};
    NormalizeType type = NormalizeType::float32;
    bool allow_truncated = true;
    std::int64_t pixel_limit = INT64_MAX;
    int threads = 1;
    void* out = nullptr;             // (count, 3, out_height, out_width)
    std::int64_t* sizes = nullptr;   // (count, 2): height and width of the decoded image
    std::int64_t* faults = nullptr;  // (count, 2): fault, position; 0, -1 where all is well
};

namespace cpu {
// A fault of an item goes into `faults`; its slot of the batch is then undefined. The status
// tells only of what concerns the whole batch.
Status image_batch(const ImageBatch& args) noexcept;
}  // namespace cpu

}  // namespace refpix
