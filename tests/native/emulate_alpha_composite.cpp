// csrc/kernels/alpha_composite/cuda.cu on the CPU, against cpu.cpp, to the bit.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/alpha_composite/cuda.cu"

namespace {

using namespace refpix;

struct Case {
    std::int64_t count, height, width, fg_height, fg_width, channels;
    std::vector<std::int64_t> positions;
    bool in_place = false;
    int shift = 0;  // values by which the output is not aligned
};

// Runs of 0 and 255 among other values, as mattes have.
template <typename T>
std::vector<T> drawn(std::int64_t size, std::uint32_t seed) {
    std::vector<T> values;
    std::uint32_t random = seed;
    for (std::int64_t i = 0; i < size; ++i) {
        random = random * 1664525u + 1013904223u;
        const std::int64_t run = i / 50 % 3;
        const std::uint32_t byte = run == 0 ? 0 : run == 1 ? 255 : random >> 24;
        values.push_back(static_cast<T>(byte) / (sizeof(T) == 1 ? 1 : 255));
    }
    return values;
}

template <typename T>
bool check(CompositeMode mode, const Case& c) {
    const auto backgrounds = drawn<T>(c.count * c.height * c.width * c.channels, 1);
    const auto foregrounds = drawn<T>(c.count * c.fg_height * c.fg_width * c.channels, 2);
    const auto mattes = drawn<T>(c.count * c.fg_height * c.fg_width, 3);
    AlphaComposite args;
    args.mode = mode;
    args.foregrounds = foregrounds.data();
    args.mattes = mode == CompositeMode::rgba ? nullptr : mattes.data();
    args.positions = c.positions.data();
    args.count = c.count;
    args.height = c.height;
    args.width = c.width;
    args.fg_height = c.fg_height;
    args.fg_width = c.fg_width;
    args.channels = c.channels;
    auto wanted = backgrounds;
    args.out = wanted.data();
    cpu::alpha_composite(args);

    std::vector<T> got(backgrounds.size() + c.shift, T(7));
    if (c.in_place) {
        std::copy(backgrounds.begin(), backgrounds.end(), got.begin() + c.shift);
    }
    composite::LinearTables tables;
    args.out = got.data() + c.shift;
    const cuda::AlphaCompositeRun run{args, c.in_place ? args.out : backgrounds.data(), &tables};
    const int error = cuda::alpha_composite(run, nullptr);
    const bool good = error == 0 && std::equal(wanted.begin(), wanted.end(), got.begin() + c.shift);
    if (!good) {
        std::printf("wrong: mode %d, %ld x %ld x %ld, shift %d\n", static_cast<int>(mode), c.height,
                    c.width, c.channels, c.shift);
    }
    return good;
}

bool check_modes(const Case& c) {
    bool good = check<std::uint8_t>(CompositeMode::paste, c);
    good &= check<std::uint8_t>(CompositeMode::linear, c);
    good &= check<float>(CompositeMode::real, c);
    return good && (c.channels != 4 || check<std::uint8_t>(CompositeMode::rgba, c));
}

// Every background, foreground and matte, with others beside them.
bool check_words() {
    for (unsigned i = 0; i < 1U << 24; ++i) {
        const unsigned under = i & 255U, over = i >> 8 & 255U, matte = i >> 16;
        const std::uint32_t word = composite::paste_word(under | (255U - under) << 8 | 0xff0000U,
                                                         over | (255U - over) << 8 | over << 16,
                                                         matte | (255U - matte) << 8);
        const auto paste = [](unsigned u, unsigned o, unsigned m) {
            return std::uint32_t{composite::paste(static_cast<std::uint8_t>(u),
                                                  static_cast<std::uint8_t>(o),
                                                  static_cast<std::uint8_t>(m))};
        };
        if (word != (paste(under, over, matte) |
                     paste(255U - under, 255U - over, 255U - matte) << 8 | 0xff0000U)) {
            std::printf("wrong: paste of %u, %u, %u\n", under, over, matte);
            return false;
        }
    }
    return true;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    if (argc > 1) {
        return check_modes({1, 3, 43, 2, 50, 3, {-3, 1}, true}) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check_words();
    good &= check_modes({0, 4, 4, 4, 4, 3, {}});
    for (const std::int64_t channels : {1, 2, 3, 4}) {
        for (const bool in_place : {false, true}) {
            for (const int shift : {0, 3, 4}) {
                good &= check_modes({2, 7, 41, 9, 25, channels, {5, -4, -6, 3}, in_place, shift});
            }
        }
        good &= check_modes({1, 3, 900, 2, 850, channels, {17, 1}});
    }
    good &= check_modes({3, 5, 6, 2, 3, 3, {9, 0, std::int64_t{1} << 62, 1, 2, -2}});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
