// csrc/kernels/rle_iou/cuda.cu on the CPU, against cpu.cpp: quotients to the bit, faults.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/rle_iou/cuda.cu"

namespace {

using namespace refpix;

struct Batch {
    std::vector<std::uint32_t> counts;
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> sizes;

    // Runs of 0 to `longest` pixels.
    void add(std::int64_t height, std::int64_t width, std::uint32_t longest, std::uint32_t seed) {
        std::uint32_t random = seed;
        for (std::int64_t left = height * width; left > 0;) {
            random = random * 1664525u + 1013904223u;
            const std::int64_t run = (random >> 8) % (longest + 1);
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

bool check(const char* name, const Batch& dt, const Batch& gt, bool strict) {
    RleIou args;
    args.dt = dt.view();
    args.gt = gt.view();
    std::vector<std::uint8_t> crowd(static_cast<std::size_t>(args.gt.count));
    for (std::size_t i = 0; i < crowd.size(); ++i) {
        crowd[i] = i % 3 == 0;
    }
    args.iscrowd = crowd.data();
    args.strict = strict;
    args.out_stride_dt = args.gt.count;
    const auto pairs = static_cast<std::size_t>(args.dt.count * args.gt.count);
    std::vector<double> wanted(pairs, 7), got(pairs, 7);
    args.out = wanted.data();
    const Status status = cpu::rle_iou(args);

    std::vector<std::int64_t> sums[4];
    for (int i = 0; i < 4; ++i) {
        sums[i].resize((i < 2 ? dt : gt).counts.size());
    }
    std::vector<rle::Extent> extents(static_cast<std::size_t>(args.dt.count + args.gt.count));
    std::vector<std::int64_t> first_bad(7);
    DeviceFault fault;
    cuda::RleIouRun run{args,           sums[0].data(), sums[1].data(),   sums[2].data(),
                        sums[3].data(), extents.data(), first_bad.data(), &fault};
    run.args.out = got.data();
    const bool good = cuda::rle_iou(run, nullptr) == 0 &&
                      fault.fault == static_cast<int>(status.fault) && fault.item == status.item &&
                      (!status.ok() || got == wanted);
    if (!good) {
        std::printf("wrong: %s\n", name);
    }
    return good;
}

bool check_faults(const Batch& sound) {
    bool good = true;
    const auto both = [&](const char* name, const Batch& bad) {
        good &= check(name, bad, sound, true) && check(name, sound, bad, false);
    };
    Batch batch = sound;
    batch.counts.back() += 1;
    both("too long", batch);
    good &= check("both", batch, batch, true);
    batch.sizes[1] += 1;
    both("too short", batch);
    batch.sizes[2] = -1;
    both("a size", batch);
    batch.offsets[2] = -1;
    both("offsets", batch);
    batch.offsets[0] = 1;
    both("the first offset", batch);
    batch = sound;
    batch.add(6, 5, 9, 1);
    both("sizes that differ", batch);
    good &= check("nothing to compare", batch, Batch(), true);
    return good;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    Batch dt, gt;
    dt.add(31, 27, 40, 1);
    dt.add(31, 27, 9, 2);
    gt.add(31, 27, 300, 3);
    bool good = check("brief", dt, gt, true);
    if (argc > 1) {
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    good &= check_faults(dt);
    for (std::uint32_t i = 0; i < 12; ++i) {
        dt.add(31, 27, 900, i);
        gt.add(31, 27, i % 2 == 0 ? 400 : 30, 50 + i);
    }
    dt.add(31, 27, 0x7fffff, 5);
    good &= check("many", dt, gt, true);
    gt.add(27, 31, 90, 6);
    gt.add(0, 31, 90, 6);
    dt.add(0, 0, 90, 6);
    dt.add(500, 70, 12, 7);  // more runs than there are threads
    gt.add(500, 70, 20, 8);
    good &= check("of several sizes", dt, gt, false);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
