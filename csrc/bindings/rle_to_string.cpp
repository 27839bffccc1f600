#include "kernels/rle_to_string/rle_to_string.h"

#include "bindings/columns.h"

namespace refpix::bind {

REFPIX_BINDING(rle_to_string) {
    module.def(
        "rle_to_string",
        [](const py::object& counts_, const py::object& offsets_, int num_threads) {
            const auto counts = array<std::uint32_t>(counts_, "counts", 1);
            const auto offsets = array<std::int64_t>(offsets_, "offsets", 1);
            require(offsets.size() > 0, "offsets: expected at least one");
            RleToString args;
            args.masks = {counts.data(), counts.size(), offsets.data(), nullptr,
                          offsets.size() - 1};
            args.threads = num_threads;
            Ragged<std::uint8_t> text;
            without_gil([&] { return cpu::rle_to_string(args, &text); });
            return columns(text);
        },
        py::arg("counts"), py::arg("offsets"), py::kw_only(), py::arg("num_threads"));
}

}  // namespace refpix::bind
