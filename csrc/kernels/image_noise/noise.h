// Normal noise from Philox4x32-10, in integers and single precision only, so that the CPU and the
// device agree to the bit.
//
// Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11 (Philox4x32-10).
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/image_noise/image_noise.h"

namespace refpix::noise {

// What one item's noise is made of.
struct Stream {
    std::uint32_t key[2];  // the seed
    std::uint32_t id[2];
    float scale;  // of numbers in units of 2**-16
};

REFPIX_HD inline Stream stream_of(const ImageNoise& args, std::int64_t item) noexcept {
    const auto seed = static_cast<std::uint64_t>(args.keys[2 * item]);
    const auto id = static_cast<std::uint64_t>(args.keys[2 * item + 1]);
    return {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
            {static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32)},
            static_cast<float>(args.sigma(item) / 65536.0)};
}

struct Words {
    std::uint32_t word[4];
};

REFPIX_HD inline std::uint32_t high_product(std::uint32_t a, std::uint32_t b) noexcept {
    return static_cast<std::uint32_t>(std::uint64_t{a} * b >> 32);
}

// The 128 bits behind bytes 8 * block .. 8 * block + 7 of an item.
REFPIX_HD inline Words philox(const Stream& stream, std::uint64_t block) noexcept {
    std::uint32_t a = static_cast<std::uint32_t>(block);
    std::uint32_t b = static_cast<std::uint32_t>(block >> 32);
    std::uint32_t c = stream.id[0];
    std::uint32_t d = stream.id[1];
    std::uint32_t low_key = stream.key[0];
    std::uint32_t high_key = stream.key[1];
    for (int round = 0; round < 10; ++round) {
        const std::uint32_t first = high_product(0xCD9E8D57u, c) ^ b ^ low_key;
        const std::uint32_t third = high_product(0xD2511F53u, a) ^ d ^ high_key;
        b = 0xCD9E8D57u * c;
        d = 0xD2511F53u * a;
        a = first;
        c = third;
        low_key += 0x9E3779B9u;
        high_key += 0xBB67AE85u;
    }
    return {{a, b, c, d}};
}

// Quantiles of the normal distribution in units of 2**-16. Node 16 * e + k is where the tail has
// t - 0.5 parts of 65536, t = 2**e * (1 + k / 16): as close as the distribution needs it.
inline constexpr int node_count = 242;
struct Nodes {
    std::int32_t node[node_count];
};
inline constexpr Nodes normal_nodes = {
    {283438, 281732, 280197, 278803, 277524, 276343, 275245, 274219, 273257, 272350, 271492, 270679,
     269905, 269167, 268462, 267786, 267138, 265915, 264779, 263716, 262719, 261779, 260890, 260047,
     259244, 258479, 257747, 257046, 256374, 255727, 255104, 254504, 253924, 252821, 251785, 250808,
     249884, 249007, 248173, 247377, 246616, 245887, 245187, 244514, 243865, 243240, 242636, 242052,
     241487, 240408, 239390, 238426, 237512, 236642, 235811, 235017, 234256, 233525, 232822, 232145,
     231492, 230861, 230250, 229660, 229087, 227991, 226955, 225974, 225040, 224150, 223300, 222485,
     221704, 220953, 220229, 219532, 218859, 218208, 217578, 216967, 216375, 215240, 214167, 213148,
     212179, 211253, 210368, 209520, 208705, 207922, 207167, 206439, 205735, 205054, 204395, 203755,
     203135, 201946, 200820, 199750, 198732, 197759, 196827, 195934, 195076, 194250, 193454, 192685,
     191942, 191223, 190526, 189850, 189194, 187935, 186743, 185609, 184528, 183495, 182506, 181556,
     180644, 179765, 178917, 178098, 177306, 176539, 175796, 175074, 174373, 173029, 171753, 170539,
     169382, 168274, 167213, 166194, 165214, 164269, 163357, 162476, 161623, 160797, 159995, 159217,
     158460, 157008, 155629, 154315, 153061, 151860, 150709, 149602, 148536, 147508, 146515, 145555,
     144624, 143723, 142847, 141996, 141169, 139579, 138067, 136625, 135246, 133925, 132655, 131434,
     130257, 129121, 128021, 126957, 125926, 124924, 123951, 123005, 122083, 120309, 118620, 117005,
     115459, 113974, 112546, 111169, 109839, 108554, 107309, 106101, 104928, 103788, 102679, 101598,
     100544, 98511,  96569,  94708,  92920,  91199,  89539,  87934,  86380,  84873,  83410,  81988,
     80603,  79253,  77936,  76649,  75392,  72957,  70618,  68367,  66193,  64090,  62050,  60069,
     58142,  56263,  54430,  52638,  50885,  49168,  47483,  45830,  44205,  41034,  37955,  34959,
     32034,  29171,  26363,  23603,  20884,  18200,  15547,  12918,  10311,  7719,   5140,   2569,
     1,      -5138}};

// A normal number of 16 random bits: a sign, and which of 32768 equally likely parts of the tail.
// Between nodes it is on a straight line.
REFPIX_HD inline std::int32_t normal(const std::int32_t* nodes, std::uint32_t bits) noexcept {
    const auto part = static_cast<float>(static_cast<std::int32_t>((bits & 0x7fff) + 1));
    std::int32_t code;  // of the float: its exponent and first four bits number the node
    std::memcpy(&code, &part, sizeof code);
    const std::int32_t node = (code >> 19) - (127 << 4);
    const std::int32_t rest = code >> 8 & 0x7ff;
    const std::int32_t low = nodes[node];
    const std::int32_t size = low + ((nodes[node + 1] - low) * rest >> 11);
    const std::int32_t sign = 1 - 2 * static_cast<std::int32_t>(bits >> 15 & 1);
    return sign * size;
}

// To nearest, halves up, clipped.
REFPIX_HD inline std::int32_t add(std::int32_t value, std::int32_t normal, float scale) noexcept {
    const float sum = (static_cast<float>(value) + 0.5f) + static_cast<float>(normal) * scale;
    const float low = sum > 0.0f ? sum : 0.0f;
    return static_cast<std::int32_t>(low < 255.0f ? low : 255.0f);
}

}  // namespace refpix::noise
