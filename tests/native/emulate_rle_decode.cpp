// csrc/kernels/rle_decode/cuda.cu on the CPU, against cpu.cpp: pixels, offsets, faults.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/rle_decode/cuda.cu"

namespace {

using namespace refpix;

struct Batch {
    std::vector<std::uint32_t> counts;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> sizes;
    std::uint32_t random = 1;

    std::uint32_t below(std::uint32_t limit) {
        random = random * 1664525u + 1013904223u;
        return static_cast<std::uint32_t>(std::uint64_t{random} * limit >> 32);
    }
    // Runs of 0 to `longest` pixels.
    void add(std::int64_t height, std::int64_t width, std::uint32_t longest) {
        for (std::int64_t left = height * width; left > 0;) {
            const std::int64_t run = below(longest + 1);
            counts.push_back(static_cast<std::uint32_t>(run < left ? run : left));
            left -= counts.back();
        }
        offsets.push_back(static_cast<std::int64_t>(counts.size()));
        sizes.push_back(height);
        sizes.push_back(width);
    }
    Rles view() const {
        return {counts.data(), static_cast<std::int64_t>(counts.size()), offsets.data(),
                sizes.data(), static_cast<std::int64_t>(sizes.size() / 2)};
    }
};

// `shift`: of the result's first byte from a whole 16.
bool check(const char* name, const Batch& batch, bool fortran, int shift, int more = 0) {
    RleDecode args;
    args.masks = batch.view();
    args.fortran = fortran;
    const auto items = static_cast<std::size_t>(args.masks.count) + 1;
    std::vector<std::int64_t> offsets(items), got_offsets(items), tiles(items), first_bad(3);
    Status wanted = cpu::rle_decode_offsets(args.masks, offsets.data());
    const std::int64_t total = wanted.ok() ? offsets[items - 1] : 0;
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(total));
    args.offsets = offsets.data();
    args.out = pixels.data();
    if (wanted.ok()) {
        wanted = cpu::rle_decode(args);
    }
    std::int64_t got_total = -1;
    std::vector<std::int64_t> ends(batch.counts.size());
    // Ends with the last pixel, for AddressSanitizer to guard; the bytes before are looked at.
    const auto before = static_cast<std::size_t>(16 + shift);
    std::vector<std::uint8_t> got(before + pixels.size(), 7);
    DeviceFault fault;
    cuda::RleDecodeRun run{args,         total + more, got_offsets.data(), &got_total,
                           tiles.data(), ends.data(),  first_bad.data(),   &fault};
    run.args.out = got.data() + before;
    int error = cuda::rle_decode_measure(run, nullptr);
    error = error == 0 ? cuda::rle_decode(run, nullptr) : error;
    if (wanted.ok() && more != 0) {
        wanted = {Fault::output_wrong_size, -1, -1};
    }
    bool good = error == 0 && fault.fault == static_cast<int>(wanted.fault) &&
                fault.item == wanted.item && got_total == total;
    for (std::size_t i = 0; wanted.ok() && i < before; ++i) {
        good &= got[i] == 7;
    }
    if (wanted.ok()) {
        good &=
            got_offsets == offsets &&
            std::vector<std::uint8_t>(got.begin() + static_cast<long>(before), got.end()) == pixels;
    }
    if (!good) {
        std::printf("wrong: %s, fortran %d, shift %d\n", name, fortran, shift);
    }
    return good;
}

bool check_faults() {
    Batch sound;
    sound.add(5, 7, 9);
    sound.add(0, 3, 9);
    sound.add(40, 3, 9);
    bool good = check("wrong size of out", sound, false, 0, 1);
    Batch batch = sound;
    batch.counts.back() += 1;
    good &= check("too long", batch, false, 0);
    batch.counts.front() -= batch.counts.front() > 0;
    batch.sizes[0] += 1;
    good &= check("too short before", batch, true, 0);
    batch.sizes[2] = -1;
    good &= check("a size", batch, false, 0);
    batch.sizes[2] = std::int64_t{1} << 40;
    batch.sizes[3] = std::int64_t{1} << 22;
    good &= check("a large size", batch, false, 0);
    batch.offsets[2] = -1;
    good &= check("offsets", batch, true, 0);
    batch.offsets[3] += 1;
    good &= check("the last offset", batch, false, 0);
    return good;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    Batch batch;
    batch.add(33, 50, 30);
    if (argc > 1) {
        return check("rows", batch, false, 3) && check("columns", batch, true, 3) ? EXIT_SUCCESS
                                                                                  : EXIT_FAILURE;
    }
    bool good = check_faults();
    batch.add(0, 9, 1);
    batch.add(1, 1, 1);
    batch.add(300, 3, 40);
    batch.add(7, 15, 3);
    batch.add(5, 16, 40);
    batch.add(9, 1, 2);
    batch.add(480, 427, 900);   // several tiles, runs in shared memory
    batch.add(150, 640, 40);    // more runs than are kept there
    batch.add(35, 4500, 5000);  // wider than a tile
    batch.add(4, 33, 0x7fffffff);
    for (const bool fortran : {false, true}) {
        good &= check("nothing", Batch(), fortran, 0);
        for (const int shift : {0, 1, 15}) {
            good &= check("mixed", batch, fortran, shift);
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
