// Tables of 16 for the paths that look characters up by nibble.
#pragma once

#include <cstdint>

namespace refpix::base64::nibbles {

// One bit per class of high nibbles: 2; 3; 4 and 6; 5; 7; the rest. A low nibble has the bits of
// the classes in which it is no data.
inline constexpr std::int8_t bad_high[16] = {0x20, 0x20, 0x01, 0x02, 0x04, 0x08, 0x04, 0x10,
                                             0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20};
inline constexpr std::int8_t bad_low[16] = {0x25, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21, 0x21,
                                            0x21, 0x21, 0x23, 0x3a, 0x3b, 0x3a, 0x3b, 0x32};

// Value = character + delta[high nibble + shift[low nibble]], the sum modulo 16.
inline constexpr std::int8_t shift[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 9};
inline constexpr std::int8_t delta[16] = {
    0,  0, 19,  4,  -65, -65, -71, -71,  // '+', digits, A..Z, a..z
    17, 0, -65, 16, -71, -65, -32, -71,  // '-' M m at 8 10 12; '/' O '_' o at 11 13 14 15
};

// Four groups of three bytes, each the low bytes of a 32-bit word, most significant first.
inline constexpr std::int8_t pack[16] = {2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1};

// By low nibble, the characters that one alphabet has and the other has not. Other characters of
// either alphabet never equal the entry of their low nibble.
inline constexpr std::int8_t standard_only[16] = {-1, -1, -1, -1,  -1, -1, -1, -1,
                                                  -1, -1, -1, '+', -1, -1, -1, '/'};
inline constexpr std::int8_t url_only[16] = {-1, -1, -1, -1, -1, -1,  -1, -1,
                                             -1, -1, -1, -1, -1, '-', -1, '_'};

}  // namespace refpix::base64::nibbles
