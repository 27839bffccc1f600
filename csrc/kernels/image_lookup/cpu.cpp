#include "core/thread_pool.h"
#include "kernels/image_lookup/image_lookup.h"

namespace refpix::cpu {
namespace {

void look_up(const std::uint8_t* in, std::int64_t size, const std::uint8_t* table,
             std::uint8_t* out) noexcept {
    for (std::int64_t i = 0; i < size; ++i) {
        out[i] = table[in[i]];
    }
}

void look_up_channels(const std::uint8_t* in, std::int64_t size, const std::uint8_t* tables,
                      std::int64_t channels, std::uint8_t* out) noexcept {
    for (std::int64_t first = 0; first < size; first += channels) {
        for (std::int64_t channel = 0; channel < channels; ++channel) {
            out[first + channel] = tables[256 * channel + in[first + channel]];
        }
    }
}

}  // namespace

Status image_lookup(const ImageLookup& args) noexcept {
    parallel_for(args.count, args.threads, [&](std::int64_t item) {
        const std::uint8_t* in = args.images + item * args.item_bytes;
        const std::uint8_t* tables = args.tables + item * args.channels * 256;
        std::uint8_t* out = args.out + item * args.item_bytes;
        if (args.channels == 1) {
            look_up(in, args.item_bytes, tables, out);
        } else {
            look_up_channels(in, args.item_bytes, tables, args.channels, out);
        }
    });
    return {};
}

}  // namespace refpix::cpu
