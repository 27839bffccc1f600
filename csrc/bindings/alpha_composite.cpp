#include "kernels/alpha_composite/alpha_composite.h"

#include <cstring>

#include "bindings/alpha_options.h"
#include "bindings/bind.h"

namespace refpix::bind {
namespace {

template <typename T>
py::object run(const py::object& backgrounds_, const py::object& foregrounds_,
               const py::object& mattes_, const Array<std::int64_t>& positions,
               const py::object& out_, AlphaComposite args) {
    const auto backgrounds = array<T>(backgrounds_, "backgrounds", 4);
    const auto foregrounds = array<T>(foregrounds_, "foregrounds", 4);
    args.count = backgrounds.shape(0);
    args.height = backgrounds.shape(1);
    args.width = backgrounds.shape(2);
    args.channels = backgrounds.shape(3);
    args.fg_height = foregrounds.shape(1);
    args.fg_width = foregrounds.shape(2);
    require(foregrounds.shape(0) == args.count && positions.shape(0) == args.count,
            "backgrounds, foregrounds and positions: different numbers of items");
    require(foregrounds.shape(3) == args.channels,
            "backgrounds and foregrounds: different numbers of channels");
    Array<T> mattes;
    if (args.mode == CompositeMode::rgba) {
        require(mattes_.is_none(), "mattes: mode rgba takes the foreground's own alpha");
        require(args.channels == 4, "mode rgba: expected 4 channels");
    } else {
        mattes = array<T>(mattes_, "mattes", 3);
        require(mattes.shape(0) == args.count && mattes.shape(1) == args.fg_height &&
                    mattes.shape(2) == args.fg_width,
                "foregrounds and mattes: different shapes");
        args.mattes = mattes.data();
    }
    auto out = output<T>(out_, {args.count, args.height, args.width, args.channels});
    args.foregrounds = foregrounds.data();
    args.positions = positions.data();
    args.out = out.mutable_data();
    Status status;
    {
        py::gil_scoped_release release;
        if (args.out != backgrounds.data() && backgrounds.size() > 0) {
            std::memmove(args.out, backgrounds.data(), backgrounds.nbytes());
        }
        status = cpu::alpha_composite(args);
    }
    raise_on_fault(status);
    return out;
}

}  // namespace

REFPIX_BINDING(alpha_composite) {
    module.def(
        "alpha_composite",
        [](const py::object& backgrounds, const py::object& foregrounds, const py::object& mattes,
           const py::object& positions_, const std::string& mode, const py::object& out,
           int num_threads) {
            const auto positions = array<std::int64_t>(positions_, "positions", 2);
            require(positions.shape(1) == 2, "positions: expected shape (n, 2)");
            AlphaComposite args;
            args.mode = composite_mode(mode);
            args.threads = num_threads;
            return args.mode == CompositeMode::real
                       ? run<float>(backgrounds, foregrounds, mattes, positions, out, args)
                       : run<std::uint8_t>(backgrounds, foregrounds, mattes, positions, out, args);
        },
        py::arg("backgrounds"), py::arg("foregrounds"), py::arg("mattes"), py::kw_only(),
        py::arg("positions"), py::arg("mode"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
