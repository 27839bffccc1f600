#include <cmath>

#include "core/thread_pool.h"
#include "kernels/bbox_iou/bbox_iou.h"

namespace refpix::cpu {
namespace {

// C's fmin and fmax ignore a NaN, and are library calls that keep the loop from being vectorised.
struct WithNan {
    static double least(double a, double b) { return std::fmin(a, b); }
    static double most(double a, double b) { return std::fmax(a, b); }
};
struct NoNan {
    static double least(double a, double b) { return a < b ? a : b; }
    static double most(double a, double b) { return a > b ? a : b; }
};

template <typename Of>
double overlap(const double* d, const double* g, bool crowd) {
    const double d_area = d[2] * d[3];
    const double g_area = g[2] * g[3];
    const double width = Of::least(d[2] + d[0], g[2] + g[0]) - Of::most(d[0], g[0]);
    const double height = Of::least(d[3] + d[1], g[3] + g[1]) - Of::most(d[1], g[1]);
    const double both = width * height;
    const double any = crowd ? d_area : d_area + g_area - both;
    // The negations let a NaN through, as the published comparisons do.
    return !(width <= 0) && !(height <= 0) ? both / any : 0.0;
}

template <typename Of>
void against_one(const BboxIou& args, std::int64_t g) {
    const bool crowd = args.iscrowd[g] != 0;
    double* out = args.out + g * args.gt_stride;
    for (std::int64_t d = 0; d < args.dt_count; ++d) {
        out[d * args.dt_stride] = overlap<Of>(args.dt + 4 * d, args.gt + 4 * g, crowd);
    }
}

bool all_finite(const double* boxes, std::int64_t count) {
    bool finite = true;
    for (std::int64_t i = 0; i < 4 * count; ++i) {
        finite &= boxes[i] - boxes[i] == 0;
    }
    return finite;
}

}  // namespace

Status bbox_iou(const BboxIou& args) noexcept {
    // least() and most() meet a NaN where there is one, and where inf and -inf are added.
    const bool finite = all_finite(args.dt, args.dt_count) && all_finite(args.gt, args.gt_count);
    parallel_for(args.gt_count, args.threads, [&](std::int64_t g) {
        finite ? against_one<NoNan>(args, g) : against_one<WithNan>(args, g);
    });
    return {};
}

}  // namespace refpix::cpu
