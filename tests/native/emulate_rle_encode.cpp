// csrc/kernels/rle_encode/cuda.cu on the CPU, against cpu.cpp: runs of any strides, both rules.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/rle_encode/cuda.cu"

namespace {

using namespace refpix;

struct Shape {
    std::int64_t count, height, width;
};

// Bytes of which one in `rarity` differs from the last.
std::vector<std::uint8_t> noise(const Shape& shape, std::uint32_t rarity) {
    std::vector<std::uint8_t> bytes(
        static_cast<std::size_t>(shape.count * shape.height * shape.width));
    std::uint32_t random = 1;
    std::uint8_t value = 1;
    for (std::uint8_t& byte : bytes) {
        random = random * 1664525u + 1013904223u;
        value = (random >> 8) % rarity == 0 ? static_cast<std::uint8_t>(random >> 30) : value;
        byte = value;
    }
    return bytes;
}

RleEncode arguments(const Shape& shape, const std::vector<std::uint8_t>& bytes, bool columns_first,
                    bool mirrored) {
    RleEncode args;
    args.masks = bytes.data();
    args.count = shape.count;
    args.height = shape.height;
    args.width = shape.width;
    args.stride_item = shape.height * shape.width;
    args.stride_y = columns_first ? 1 : shape.width;
    args.stride_x = columns_first ? shape.height : 1;
    if (mirrored && !bytes.empty()) {
        args.masks += bytes.size() - 1;
        args.stride_item *= -1;
        args.stride_y *= -1;
        args.stride_x *= -1;
    }
    return args;
}

bool check(const char* name, RleEncode args) {
    Ragged<std::uint32_t> wanted;
    bool good = cpu::rle_encode(args, &wanted).ok();
    const auto items = static_cast<std::size_t>(args.count);
    std::vector<std::int64_t> offsets(items + 1);
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(wanted.offsets(offsets.data())));
    wanted.copy_to(counts.data());

    const auto tiles = static_cast<std::size_t>(args.count * cuda::encode_tiles(args));
    std::vector<std::uint32_t> words(items * static_cast<std::size_t>(cuda::encode_words(args)));
    std::vector<std::int64_t> changes(tiles + 1);
    cuda::RleEncodeRun run;
    run.args = args;
    run.words = words.data();
    run.changes = changes.data();
    good &= cuda::rle_encode_count(run, nullptr) == 0;
    run.runs = changes.back() + args.count;
    good &= run.runs == static_cast<std::int64_t>(counts.size());
    if (good) {
        std::vector<std::int64_t> ends(counts.size()), got_offsets(items + 1), sizes(2 * items);
        std::vector<std::uint32_t> got(counts.size());
        std::int64_t first_bad = 0;
        DeviceFault fault;
        run.ends = ends.data();
        run.counts = got.data();
        run.offsets = got_offsets.data();
        run.sizes = sizes.data();
        run.first_bad = &first_bad;
        run.fault = &fault;
        good &= cuda::rle_encode(run, nullptr) == 0 && fault.taken == 0 && got == counts &&
                got_offsets == offsets;
        for (std::size_t i = 0; i < sizes.size(); ++i) {
            good &= sizes[i] == (i % 2 == 0 ? args.height : args.width);
        }
    }
    if (!good) {
        std::printf("wrong: %s, %ld of %ld x %ld, change %d\n", name, args.count, args.height,
                    args.width, args.change);
    }
    return good;
}

// `also_mirrored`: and from the last pixel to the first.
bool check_shape(const Shape& shape, std::uint32_t rarity, bool also_mirrored = false) {
    const std::vector<std::uint8_t> bytes = noise(shape, rarity);
    bool good = true;
    for (const bool change : {false, true}) {
        for (const bool columns_first : {false, true}) {
            for (const bool mirrored : {false, true}) {
                if (mirrored && !also_mirrored) {
                    continue;
                }
                RleEncode args = arguments(shape, bytes, columns_first, mirrored);
                args.change = change;
                good &= check(columns_first ? "columns" : "rows", args);
            }
        }
    }
    return good;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    if (argc > 1) {
        return check_shape({1, 33, 35}, 5) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check_shape({2, 33, 35}, 5, true);
    good &= check_shape({0, 3, 4}, 2);
    good &= check_shape({3, 0, 4}, 2);
    good &= check_shape({3, 4, 0}, 2);
    good &= check_shape({1, 1, 1}, 2);
    good &= check_shape({2, 1, 300}, 3);
    good &= check_shape({2, 300, 1}, 3);
    good &= check_shape({3, 64, 32}, 100);
    good &= check_shape({1, 310, 217}, 40);  // several tiles
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
