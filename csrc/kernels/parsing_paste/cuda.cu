// cuda_nearest.h makes the tiles; rows and columns outside the box show nothing.
#include <cstdint>

#include "core/nearest.h"
#include "kernels/cuda_faults.h"
#include "kernels/cuda_nearest.h"
#include "kernels/parsing_paste/parsing_paste.h"
#include "kernels/parsing_paste/region.h"

namespace refpix::cuda {
namespace {

struct Check {
    ParsingPaste args;

    REFPIX_HD Status operator()(std::int64_t item) const { return paste::check_item(args, item); }
};

struct Geometry {
    paste::Region box;
    std::int64_t map;  // where it begins
    float down, across;
};

struct Maps {
    using Value = std::uint8_t;
    ParsingPaste args;
    const std::int64_t* first_bad;
    std::uint8_t* out;
    std::int64_t count, height, width;

    __device__ bool stopped() const { return *first_bad < count; }

    REFPIX_HD Geometry geometry(std::int64_t item) const {
        const paste::Region box = paste::region(args.boxes + 4 * item, height, width);
        return {box, item * args.map_height * args.map_width,
                nearest::torch_scale(args.map_height, box.y2 - box.y1),
                nearest::torch_scale(args.map_width, box.x2 - box.x1)};
    }

    REFPIX_HD std::int64_t row(const Geometry& of, std::int64_t y) const {
        if (y < of.box.y1 || y >= of.box.y2) {
            return -1;
        }
        return of.map +
               args.map_width * nearest::torch_source(y - of.box.y1, of.down, args.map_height);
    }

    REFPIX_HD std::int32_t column(const Geometry& of, std::int64_t x) const {
        if (x < of.box.x1 || x >= of.box.x2) {
            return -1;
        }
        return static_cast<std::int32_t>(
            nearest::torch_source(x - of.box.x1, of.across, args.map_width));
    }

    __device__ std::uint8_t value(std::int64_t from, std::int64_t) const { return args.maps[from]; }
};

}  // namespace

int parsing_paste(const ParsingPasteRun& run, DeviceStream stream) noexcept {
    const ParsingPaste& args = run.args;
    const Maps maps{args, run.first_bad, args.out, args.count, args.height, args.width};
    return run_checked(Check{args}, args.count, run.first_bad, run.fault, stream,
                       [&] { return nearest_tiles::fill(maps, stream); });
}

}  // namespace refpix::cuda
