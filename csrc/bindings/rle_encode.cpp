#include "kernels/rle_encode/rle_encode.h"

#include "bindings/rle_columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_encode) {
    module.def(
        "rle_encode",
        [](const py::object& masks_, const std::string& rule, int num_threads) {
            // Strided as they may be: bytes are read where they lie.
            const py::array masks = strided_array(masks_, "masks", "u1 b1", 3);
            require(rule == "nonzero" || rule == "change",
                    "rule: expected nonzero or change, got " + rule);
            RleEncode args;
            args.masks = static_cast<const std::uint8_t*>(masks.data());
            args.count = masks.shape(0);
            args.height = masks.shape(1);
            args.width = masks.shape(2);
            args.stride_item = masks.strides(0);
            args.stride_y = masks.strides(1);
            args.stride_x = masks.strides(2);
            args.change = rule == "change";
            args.threads = num_threads;
            Ragged<std::uint32_t> counts;
            without_gil([&] { return cpu::rle_encode(args, &counts); });
            Array<std::int64_t> sizes({args.count, std::int64_t{2}});
            for (std::int64_t i = 0; i < args.count; ++i) {
                sizes.mutable_at(i, 0) = args.height;
                sizes.mutable_at(i, 1) = args.width;
            }
            return columns(counts, sizes);
        },
        py::arg("masks"), py::kw_only(), py::arg("rule"), py::arg("num_threads"));
}

}  // namespace refpix::bind
