// Which decoder a JPEG is for when there is a GPU: the one place where that is decided.
//
// nvJPEG reads what is common as libjpeg-turbo does, to within rounding. It refuses some files,
// reads others differently from Pillow, and what it makes of damage is not written down. So every
// file's markers are walked on the host first, to the end; all that is not plainly sound and usual
// goes to libjpeg-turbo, whose pixels and faults are Pillow's.
#pragma once

#include <cstdint>

#include "kernels/jpeg_decode/jpeg_decode.h"

namespace refpix {

// In this order: what one can decode, those before it can too.
enum class JpegEngine : std::uint8_t {
    none = 0,      // the header is at fault
    cpu = 1,       // libjpeg-turbo
    hybrid = 2,    // nvJPEG: host and CUDA cores
    hardware = 3,  // nvJPEG: the GPU's JPEG engines
};

// Why not a later engine. Those up to `tail` keep a file on the CPU, the rest off the engines.
enum class JpegReason : std::uint8_t {
    none = 0,
    header = 1,      // refused before any decoder sees it
    arithmetic = 2,  // nvJPEG knows Huffman codes only
    components = 3,  // CMYK and YCCK: nvJPEG's conversion is not Pillow's
    colour = 4,      // RGB, or what libjpeg has to guess at
    sampling = 5,    // other than 4:4:4, 4:2:2, 4:2:0, 4:4:0 and gray
    small = 6,       // under 16 pixels: libjpeg hardly interpolates, and it is cheap
    tables = 7,      // missing or malformed Huffman or quantization tables, or of 16 bits
    structure = 8,   // out of order, junk between segments, what a scan may not hold
    incomplete = 9,  // cut, or scans missing: libjpeg fills in and smooths
    tail = 10,       // no end-of-image marker
    progressive = 11,
    scans = 12,     // one scan per component
    extended = 13,  // sequential, but not baseline
};

struct JpegRoute {
    JpegHeader header;
    JpegEngine engine = JpegEngine::none;
    JpegReason reason = JpegReason::none;
    std::int64_t length = 0;  // bytes up to and with the end-of-image marker; all on the CPU
};

// Faults are those of jpeg_check(); a file that is merely damaged has a route, to the CPU.
Status jpeg_route(const std::uint8_t* data, std::int64_t size, const JpegOptions& options,
                  JpegRoute* route) noexcept;

struct JpegRoutes {
    JpegDecode decode;                 // files, options, roi and threads; `sizes` is filled
    std::int64_t* pictures = nullptr;  // (count, 2): height and width of the whole picture
    std::int64_t* lengths = nullptr;   // (count,)
    JpegEngine* engines = nullptr;     // (count,)
    JpegReason* reasons = nullptr;     // (count,)
    std::int64_t* faults = nullptr;    // (count, 2): fault, position; 0, -1 where all is well
};

namespace cpu {
// Of an item with a fault the sizes are 0. The status tells only of what concerns the whole batch.
Status jpeg_routes(const JpegRoutes& args) noexcept;

// As jpeg_decode, but every item has its own verdict, and lies where `offsets` (count,) says, in
// the room that `sizes` ask for.
Status jpeg_decode_items(const JpegDecode& args, std::int64_t* faults) noexcept;
}  // namespace cpu

}  // namespace refpix
