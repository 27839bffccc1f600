#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/image_color_jitter/rows.h"

namespace refpix::cpu {
namespace {

const jitter::Pixels& pixels_functions() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx2) {
        return jitter::avx2::pixels;
    }
#endif
    return jitter::scalar::pixels;
}

void jitter_item(const ImageColorJitter& args, std::int64_t item) noexcept {
    jitter::Plan plan = jitter::plan_of(args, item);
    const jitter::Pixels& functions = pixels_functions();
    const std::uint8_t* in = args.images + 3 * args.pixels() * item;
    std::uint8_t* out = args.out + 3 * args.pixels() * item;
    const int contrast_at = plan.contrast_at();
    const std::uint64_t sum = functions.run(plan, 0, contrast_at, in, args.pixels(), out);
    if (contrast_at < jitter::step_count) {
        plan.mean = jitter::rounded_mean(sum, args.pixels());
        functions.run(plan, contrast_at, jitter::step_count, out, args.pixels(), out);
    }
}

}  // namespace

Status image_color_jitter(const ImageColorJitter& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = jitter::check(args, item);
        if (!status.ok()) {
            return status;
        }
    }
    if (args.pixels() != 0) {
        parallel_for(args.count, args.threads, [&](std::int64_t item) { jitter_item(args, item); });
    }
    return {};
}

}  // namespace refpix::cpu
