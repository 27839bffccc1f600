#include "kernels/alpha_composite/alpha_composite.h"

#include "bindings/alpha_options.h"
#include "bindings/cuda/device_array.h"

namespace refpix::bind {
namespace {

constexpr std::int64_t most_values = std::int64_t{1} << 31;  // in a row: columns are 32 bits there

void check_row(const DeviceArray& pictures) {
    require(pictures.shape[2] * pictures.shape[3] < most_values - 16,
            "a row holds 2^31 values or more");
}

// None in mode rgba, which takes the foreground's own.
DeviceArray matte_array(const py::object& mattes_, const AlphaComposite& args, const char* type) {
    if (args.mode == CompositeMode::rgba) {
        require(mattes_.is_none(), "mattes: mode rgba takes the foreground's own alpha");
        require(args.channels == 4, "mode rgba: expected 4 channels");
        return {};
    }
    DeviceArray mattes =
        shaped_device_array(mattes_, "mattes", type, {args.count, args.fg_height, args.fg_width});
    require(mattes.packed(), "mattes: must be C-contiguous");
    return mattes;
}

}  // namespace

REFPIX_BINDING(alpha_composite) {
    module.def(
        "alpha_composite",
        [](const py::object& backgrounds_, const py::object& foregrounds_,
           const py::object& mattes_, const py::object& positions_, const std::string& mode,
           const py::object& out_, int /*num_threads*/) {
            cuda::AlphaCompositeRun run;
            AlphaComposite& args = run.args;
            args.mode = composite_mode(mode);
            const char* type = args.mode == CompositeMode::real ? "f4" : "u1";
            const DeviceArray backgrounds = device_array(backgrounds_, "backgrounds", type, 4);
            args.count = backgrounds.shape[0];
            args.height = backgrounds.shape[1];
            args.width = backgrounds.shape[2];
            args.channels = backgrounds.shape[3];
            const DeviceArray foregrounds = shaped_device_array(
                foregrounds_, "foregrounds", type, {args.count, -1, -1, args.channels});
            const DeviceArray positions =
                shaped_device_array(positions_, "positions", "i8", {args.count, 2});
            check_row(backgrounds);
            check_row(foregrounds);
            args.fg_height = foregrounds.shape[1];
            args.fg_width = foregrounds.shape[2];
            const DeviceArray mattes = matte_array(mattes_, args, type);
            args.mattes = mattes.data;
            args.foregrounds = packed<void>(foregrounds, "foregrounds");
            args.positions = packed<std::int64_t>(positions, "positions");
            run.backgrounds = packed<void>(backgrounds, "backgrounds");
            const auto given = given_out(out_, type, backgrounds.shape);
            const DeviceCall call({&backgrounds, &foregrounds, &mattes, &positions}, given);
            const DeviceArray out = call.output(
                given, backgrounds.shape, args.mode == CompositeMode::real ? "float32" : "uint8");
            args.out = out.data;
            DeviceArray tables;
            if (args.mode == CompositeMode::linear) {
                tables = call.allocate({composite::linear_table_bytes}, "uint8");
                run.tables = static_cast<composite::LinearTables*>(tables.data);
            }
            call.launch(cuda::alpha_composite, run);
            return out.owner;
        },
        py::arg("backgrounds"), py::arg("foregrounds"), py::arg("mattes"), py::kw_only(),
        py::arg("positions"), py::arg("mode"), py::arg("out"), py::arg("num_threads"));
}

}  // namespace refpix::bind
