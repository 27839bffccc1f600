#include <new>
#include <vector>

#include "core/first_fault.h"
#include "core/thread_pool.h"
#include "kernels/image_normalize/rows.h"

namespace refpix::cpu {
namespace {

// Rows of a band go through one scratch row, which stays in cache.
constexpr std::int64_t band_rows = 64;

Status normalize_band(const ImageNormalize& args, const normalize::Table& table, std::int64_t item,
                      std::int64_t first) noexcept {
    try {
        const normalize::RowFunctions rows = normalize::row_functions(active_isa());
        const std::ptrdiff_t plane_stride = (args.width + 127) / 64 * 64;
        thread_local std::vector<std::uint8_t> planes;
        if (planes.size() < static_cast<std::size_t>(3 * plane_stride)) {
            planes.resize(3 * plane_stride);
        }
        const std::int64_t last = first + band_rows < args.height ? first + band_rows : args.height;
        const std::int64_t plane = args.height * args.width;
        for (std::int64_t y = first; y < last; ++y) {
            rows.deinterleave(
                args.images + item * args.image_stride_bytes + y * args.row_stride_bytes,
                args.width, planes.data(), plane_stride);
            for (int c = 0; c < 3; ++c) {
                const std::int64_t element = (item * 3 + c) * plane + y * args.width;
                rows.normalize(
                    table, c, planes.data() + c * plane_stride, args.width,
                    static_cast<char*>(args.out) + element * normalize::element_bytes(args.type));
            }
        }
        return {};
    } catch (const std::bad_alloc&) {
        return {Fault::out_of_memory, item, -1};
    }
}

}  // namespace

Status image_normalize(const ImageNormalize& args) noexcept {
    const normalize::Table table = normalize::make_table(args.mean, args.std, args.type);
    const std::int64_t bands = (args.height + band_rows - 1) / band_rows;
    FirstFault faults;
    parallel_for(args.count * bands, args.threads, [&](std::int64_t i) {
        faults.report(normalize_band(args, table, i / bands, i % bands * band_rows));
    });
    return faults.status();
}

}  // namespace refpix::cpu
