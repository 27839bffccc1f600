#include "kernels/rle_encode/rle_encode.h"

#include "bindings/cuda/device_array.h"

namespace refpix::bind {

REFPIX_BINDING(rle_encode) {
    module.def(
        "rle_encode",
        [](const py::object& masks_object, const std::string& rule, int /*num_threads*/) {
            const DeviceArray masks = device_array(masks_object, "masks", "u1 b1", 3);
            require(rule == "nonzero" || rule == "change",
                    "rule: expected nonzero or change, got " + rule);
            cuda::RleEncodeRun run;
            RleEncode& args = run.args;
            args.masks = static_cast<const std::uint8_t*>(masks.data);
            args.count = masks.shape[0];
            args.height = masks.shape[1];
            args.width = masks.shape[2];
            args.stride_item = masks.strides[0];
            args.stride_y = masks.strides[1];
            args.stride_x = masks.strides[2];
            args.change = rule == "change";
            const DeviceCall call({&masks});
            const std::int64_t tiles = args.count * cuda::encode_tiles(args);
            const DeviceArray words =
                call.allocate({args.count * cuda::encode_words(args)}, "int32");
            const DeviceArray changes = call.allocate({tiles + 2}, "int64");
            run.words = static_cast<std::uint32_t*>(words.data);
            run.changes = static_cast<std::int64_t*>(changes.data);
            run.first_bad = run.changes + tiles + 1;
            run.fault = device_fault();
            call.launch(cuda::rle_encode_count, run);
            run.runs = call.read_back(run.changes + tiles) + args.count;
            const DeviceArray ends = call.allocate({run.runs}, "int64");
            const DeviceArray counts = call.allocate({run.runs}, "uint32");
            const DeviceArray offsets = call.allocate({args.count + 1}, "int64");
            const DeviceArray sizes = call.allocate({args.count, 2}, "int64");
            run.ends = static_cast<std::int64_t*>(ends.data);
            run.counts = static_cast<std::uint32_t*>(counts.data);
            run.offsets = static_cast<std::int64_t*>(offsets.data);
            run.sizes = static_cast<std::int64_t*>(sizes.data);
            call.launch(cuda::rle_encode, run);
            return py::make_tuple(counts.owner, offsets.owner, sizes.owner);
        },
        py::arg("masks"), py::kw_only(), py::arg("rule"), py::arg("num_threads"));
}

}  // namespace refpix::bind
