// Parsing codes as RefHCM writes them, "15,31,26,...", to integers.
#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/spans.h"

namespace refpix {

inline constexpr int parsing_code_count = 48;  // 8 rows x 6 columns
inline constexpr int parsing_code_range = 32;  // codes are 0..31

struct ParsingUnpack {
    Spans text;
    bool strict = false;  // exactly parsing_code_count codes, each in 0..parsing_code_range - 1
    int threads = 1;
    std::int64_t* offsets = nullptr;  // (count + 1,), filled by parsing_unpack_count
    std::int32_t* codes = nullptr;    // (offsets[count],), filled by parsing_unpack
};

namespace cpu {
Status parsing_unpack_count(const ParsingUnpack& args) noexcept;
Status parsing_unpack(const ParsingUnpack& args) noexcept;
}  // namespace cpu

namespace cuda {

// Device pointers all, `text` included. Both only launch: nothing is copied, allocated or waited
// for. They return the number of a CUDA error, 0 when there is none.
struct ParsingUnpackRun {
    ParsingUnpack args;
    std::int64_t capacity = 0;          // of args.codes; nothing is written beyond
    std::int64_t* first_bad = nullptr;  // (3,) scratch, kept from the first call to the second
    DeviceFault* fault = nullptr;       // told what the CPU would return, by the second call
};

int parsing_unpack_count(const ParsingUnpackRun& run, DeviceStream stream) noexcept;
int parsing_unpack(const ParsingUnpackRun& run, DeviceStream stream) noexcept;

}  // namespace cuda

}  // namespace refpix
