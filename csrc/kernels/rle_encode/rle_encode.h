// Masks of bytes to run lengths, whatever their memory order.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/ragged.h"
#include "core/status.h"

namespace refpix {

struct RleEncode {
    const std::uint8_t* masks = nullptr;  // pixel (0, 0) of item 0
    std::int64_t count = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
    std::int64_t stride_item = 0;  // bytes; of any sign, as all strides
    std::int64_t stride_y = 0;
    std::int64_t stride_x = 0;
    bool change = false;  // a run ends where the byte changes; else where != 0 does
    int threads = 1;
};

namespace cpu {
// out gets one item per mask; of a mask without pixels it is a run of 0.
Status rle_encode(const RleEncode& args, Ragged<std::uint32_t>* out) noexcept;
}  // namespace cpu

namespace cuda {

// Changes of value as bits, 32 rows of a column to a word: column x has words
// [x * words_down, (x + 1) * words_down) of its mask's.
inline constexpr std::int64_t encode_tile = 1024;  // words of a mask that are counted together
inline std::int64_t encode_words(const RleEncode& args) noexcept {
    return args.width * ((args.height + 31) / 32);
}
inline std::int64_t encode_tiles(const RleEncode& args) noexcept {
    const std::int64_t tiles = (encode_words(args) + encode_tile - 1) / encode_tile;
    return tiles > 0 ? tiles : 1;
}

// Device pointers all; `threads` is ignored.
struct RleEncodeRun {
    RleEncode args;
    std::uint32_t* words = nullptr;  // (count * encode_words,), scratch
    // (count * encode_tiles + 1,), scratch. After the first call, changes up to each tile; the last
    // of them plus `count` is how many runs there are.
    std::int64_t* changes = nullptr;
    // For the second call.
    std::int64_t runs = 0;
    std::int64_t* ends = nullptr;       // (runs,), scratch
    std::uint32_t* counts = nullptr;    // (runs,)
    std::int64_t* offsets = nullptr;    // (count + 1,)
    std::int64_t* sizes = nullptr;      // (count, 2)
    std::int64_t* first_bad = nullptr;  // (1,), scratch
    DeviceFault* fault = nullptr;
};

int rle_encode_count(const RleEncodeRun& run, DeviceStream stream) noexcept;
int rle_encode(const RleEncodeRun& run, DeviceStream stream) noexcept;

}  // namespace cuda

}  // namespace refpix
