// csrc/kernels/label_zoom/cuda.cu on the CPU, against cpu.cpp: labels and faults.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/label_zoom/cuda.cu"

namespace {

using namespace refpix;

struct Size {
    std::int64_t height, width;
};

// `bad`: number of a label that is made too large, if there is one.
template <typename T>
bool check(LabelType type, ZoomRule rule, const std::vector<Size>& maps, Size out,
           std::vector<std::size_t> bad = {}) {
    std::vector<T> values;
    std::vector<std::int64_t> offsets{0}, sizes;
    for (const Size& size : maps) {
        sizes.insert(sizes.end(), {size.height, size.width});
        for (std::int64_t i = 0; i < size.height * size.width; ++i) {
            values.push_back(static_cast<T>(i * i + i / 3 + 1));
        }
        offsets.push_back(static_cast<std::int64_t>(values.size()));
    }
    for (const std::size_t place : bad) {
        values[place] = static_cast<T>(std::int64_t{1} << 40);
    }
    cuda::LabelZoomRun run;
    LabelZoom& args = run.args;
    args.values = values.data();
    args.type = type;
    args.size = offsets.back();
    args.offsets = offsets.data();
    args.sizes = sizes.data();
    args.count = static_cast<std::int64_t>(maps.size());
    args.height = out.height;
    args.width = out.width;
    args.rule = rule;
    const auto pixels = static_cast<std::size_t>(args.count * out.height * out.width);
    std::vector<std::int32_t> wanted(pixels, -7), got(pixels, -7);
    args.out = wanted.data();
    const Status status = cpu::label_zoom(args);
    args.out = got.data();
    std::int64_t first_bad[2];
    DeviceFault fault;
    run.first_bad = first_bad;
    run.fault = &fault;
    const int error = cuda::label_zoom(run, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item && fault.position == status.position &&
                      status.ok() == bad.empty() && (!status.ok() || got == wanted);
    if (!good) {
        std::printf("wrong: type %d, rule %d, to %ld x %ld\n", static_cast<int>(type),
                    static_cast<int>(rule), out.height, out.width);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    using enum LabelType;
    using enum ZoomRule;
    const std::vector<Size> maps{{37, 50}, {1, 1}, {120, 120}, {3, 140}};
    if (argc > 1) {
        return check<std::uint8_t>(uint8, scipy, maps, {40, 150}) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check<std::uint8_t>(uint8, scipy, {}, {4, 4});
    for (const ZoomRule rule : {scipy, torch}) {
        for (const Size out : {Size{98, 98}, Size{33, 131}, Size{1, 1}, Size{5, 256}}) {
            good &= check<std::uint8_t>(uint8, rule, maps, out);
            good &= check<std::int16_t>(int16, rule, maps, out);
            good &= check<std::int32_t>(int32, rule, maps, out);
            good &= check<std::int64_t>(int64, rule, maps, out);
        }
        good &= check<std::int64_t>(int64, rule, maps, {50, 140}, {2500, 1900, 16000});
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
