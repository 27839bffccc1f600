// What cpu_scalar.cpp and cpu_avx2.cpp compile: loops that the compiler makes vectors of.
#pragma once

#include "kernels/image_noise/rows.h"

namespace refpix::noise {
namespace {

constexpr int blocks_at_once = 64;
constexpr int bytes_at_once = 8 * blocks_at_once;

// 16 bits for every byte from the block's first one on.
inline void random_bits(const Stream& stream, std::int64_t block, std::uint16_t* bits) noexcept {
    std::uint32_t words[4][blocks_at_once];
    for (int i = 0; i < blocks_at_once; ++i) {
        const Words made = philox(stream, static_cast<std::uint64_t>(block + i));
        words[0][i] = made.word[0];
        words[1][i] = made.word[1];
        words[2][i] = made.word[2];
        words[3][i] = made.word[3];
    }
    for (int i = 0; i < blocks_at_once; ++i) {
        for (int word = 0; word < 4; ++word) {
            bits[8 * i + 2 * word] = static_cast<std::uint16_t>(words[word][i]);
            bits[8 * i + 2 * word + 1] = static_cast<std::uint16_t>(words[word][i] >> 16);
        }
    }
}

inline void run(const Stream& stream, const std::uint8_t* in, std::int64_t count,
                std::uint8_t* out) noexcept {
    std::uint16_t bits[bytes_at_once];
    const float scale = stream.scale;
    for (std::int64_t done = 0; done < count; done += bytes_at_once) {
        random_bits(stream, done / 8, bits);
        const int size =
            count - done < bytes_at_once ? static_cast<int>(count - done) : bytes_at_once;
        const std::uint8_t* from = in + done;
        std::uint8_t* __restrict to = out + done;
        std::int32_t normals[bytes_at_once];
        for (int i = 0; i < bytes_at_once; ++i) {
            normals[i] = normal(normal_nodes.node, bits[i]);
        }
        for (int i = 0; i < size; ++i) {
            to[i] = static_cast<std::uint8_t>(add(from[i], normals[i], scale));
        }
    }
}

}  // namespace
}  // namespace refpix::noise
