// Masks given as run lengths to 0/1 bytes.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/rle.h"

namespace refpix {

struct RleDecode {
    Rles masks;
    bool fortran = false;  // columns one after the other, as the runs go; else rows
    int threads = 1;
    const std::int64_t* offsets = nullptr;  // (masks.count + 1,), see rle_decode_offsets
    std::uint8_t* out = nullptr;            // item i goes to out[offsets[i]:offsets[i + 1]]
    bool zeroed = false;  // out holds zeros: only the pages of foreground are touched
};

namespace cpu {
// Checks the masks, sums of runs included, and fills offsets (masks.count + 1,) with where their
// pixels go.
Status rle_decode_offsets(const Rles& masks, std::int64_t* offsets) noexcept;
// Runs that do not sum to height * width are a fault here too; nothing is written beyond the item.
Status rle_decode(const RleDecode& args) noexcept;
}  // namespace cpu

namespace cuda {

// Device pointers all; `threads` and `zeroed` are ignored. Both calls only launch. At most
// 2^31 - 1 runs.
struct RleDecodeRun {
    RleDecode args;
    std::int64_t capacity = 0;          // of args.out; must be the sum of all pixels
    std::int64_t* offsets = nullptr;    // (count + 1,), filled; args.offsets is ignored
    std::int64_t* total = nullptr;      // (1,), filled unless none: all pixels, 0 when at fault
    std::int64_t* tiles = nullptr;      // (count + 1,), scratch
    std::int64_t* ends = nullptr;       // (masks.size,), scratch
    std::int64_t* first_bad = nullptr;  // (3,), scratch
    DeviceFault* fault = nullptr;       // told by the second call
};

// Offsets, which is all that is needed to make room for the result, and all scratch.
int rle_decode_measure(const RleDecodeRun& run, DeviceStream stream) noexcept;
// What is at fault is told, and then nothing is written.
int rle_decode(const RleDecodeRun& run, DeviceStream stream) noexcept;

}  // namespace cuda

}  // namespace refpix
