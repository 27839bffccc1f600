// The arguments of a resize on a device, for image_resize and the fused kernel.
#pragma once

#include <utility>

#include "bindings/cuda/device_array.h"
#include "bindings/image_options.h"

namespace refpix::bind {

struct ResizeInputs {
    DeviceArray pixels, sizes, offsets;

    ResizeInputs(const py::object& pixels_, const py::object& offsets_, const py::object& sizes_)
        : pixels(device_array(pixels_, "pixels", "u1", 1)),
          sizes(shaped_device_array(sizes_, "sizes", "i8", {-1, 2})),
          offsets(shaped_device_array(offsets_, "offsets", "i8", {sizes.shape[0] + 1})) {}

    // All but what set_resize_options() sets, and scratch memory.
    void set(ImageResize& args) const {
        args.pixels = packed<std::uint8_t>(pixels, "pixels");
        args.size = pixels.shape[0];
        args.offsets = packed<std::int64_t>(offsets, "offsets");
        args.sizes = packed<std::int64_t>(sizes, "sizes");
        args.count = sizes.shape[0];
    }
};

inline void require_device_filter(const ImageResize& args) {
    require(args.filter != ResizeFilter::lanczos, "filter: lanczos is not available on a device");
}

// Lives until the kernels are enqueued: memory given back earlier might be given out twice.
struct ResizeScratch {
    DeviceArray plan, first_bad;

    ResizeScratch(const DeviceCall& call, const ImageResize& args)
        : plan(call.allocate({args.count * (args.out_height + args.out_width) * cuda::plan_words},
                             "int64")),
          first_bad(call.allocate({1}, "int64")) {}

    cuda::ImageResizeRun run(const ImageResize& args) const {
        return {args, static_cast<std::int64_t*>(first_bad.data), plan.data, device_fault()};
    }
};

}  // namespace refpix::bind
