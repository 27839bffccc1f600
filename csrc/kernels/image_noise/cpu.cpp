#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/image_noise/rows.h"

namespace refpix::cpu {
namespace {

const noise::Rows& row_functions() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx2) {
        return noise::avx2::rows;
    }
#endif
    return noise::scalar::rows;
}

}  // namespace

Status image_noise(const ImageNoise& args) noexcept {
    for (std::int64_t item = 0; item < args.count; ++item) {
        const Status status = args.check(item);
        if (!status.ok()) {
            return status;
        }
    }
    const noise::Rows& functions = row_functions();
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        const std::int64_t first = item * args.item_bytes;
        functions.run(noise::stream_of(args, item), args.images + first, args.item_bytes,
                      args.out + first);
    });
    return {};
}

}  // namespace refpix::cpu
