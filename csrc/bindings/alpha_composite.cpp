#include "kernels/alpha_composite/alpha_composite.h"

#include <cstring>

#include "bindings/alpha_options.h"
#include "bindings/bind.h"

namespace refpix::bind {

REFPIX_BINDING(alpha_composite) {
    module.def(
        "alpha_composite",
        [](const py::object& backgrounds_, const py::object& foregrounds_,
           const py::object& mattes_, const py::object& positions_, const std::string& mode,
           const py::object& out_, int num_threads) {
            AlphaComposite args;
            args.mode = composite_mode(mode);
            const char* type = args.mode == CompositeMode::real ? "f4" : "u1";
            const py::array backgrounds = array(backgrounds_, "backgrounds", type, 4);
            args.count = backgrounds.shape(0);
            args.height = backgrounds.shape(1);
            args.width = backgrounds.shape(2);
            args.channels = backgrounds.shape(3);
            const py::array foregrounds = array(foregrounds_, "foregrounds", type, 4);
            require_shape(shape_of(foregrounds), {args.count, -1, -1, args.channels},
                          "foregrounds");
            args.fg_height = foregrounds.shape(1);
            args.fg_width = foregrounds.shape(2);
            py::array mattes;
            if (args.mode == CompositeMode::rgba) {
                require(mattes_.is_none(), "mattes: mode rgba takes the foreground's own alpha");
                require(args.channels == 4, "mode rgba: expected 4 channels");
            } else {
                mattes = array(mattes_, "mattes", type, 3);
                require_shape(shape_of(mattes), {args.count, args.fg_height, args.fg_width},
                              "mattes");
                args.mattes = mattes.data();
            }
            const auto positions =
                shaped_array<std::int64_t>(positions_, "positions", {args.count, 2});
            py::array out = output(out_, type, shape_of(backgrounds));
            args.foregrounds = foregrounds.data();
            args.positions = positions.data();
            args.out = out.mutable_data();
            args.threads = num_threads;
            without_gil([&] {
                if (args.out != backgrounds.data() && backgrounds.size() > 0) {
                    std::memmove(args.out, backgrounds.data(), backgrounds.nbytes());
                }
                return cpu::alpha_composite(args);
            });
            return out;
        },
        py::arg("backgrounds"), py::arg("foregrounds"), py::arg("mattes"), py::kw_only(),
        py::arg("positions"), py::arg("mode"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
