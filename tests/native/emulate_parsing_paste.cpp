// csrc/kernels/parsing_paste/cuda.cu on the CPU, against cpu.cpp: labels and faults.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/parsing_paste/cuda.cu"

namespace {

using namespace refpix;

bool check(const char* name, const std::vector<float>& boxes, std::int64_t map_height,
           std::int64_t map_width, std::int64_t height, std::int64_t width) {
    cuda::ParsingPasteRun run;
    ParsingPaste& args = run.args;
    args.boxes = boxes.data();
    args.count = static_cast<std::int64_t>(boxes.size() / 4);
    args.map_height = map_height;
    args.map_width = map_width;
    args.height = height;
    args.width = width;
    std::vector<std::uint8_t> maps(static_cast<std::size_t>(args.count * map_height * map_width));
    for (std::size_t i = 0; i < maps.size(); ++i) {
        maps[i] = static_cast<std::uint8_t>(i * i + i / 5 + 1);
    }
    args.maps = maps.data();
    const auto pixels = static_cast<std::size_t>(args.count * height * width);
    std::vector<std::uint8_t> wanted(pixels, 9), got(pixels, 9);
    args.out = wanted.data();
    const Status status = cpu::parsing_paste(args);
    args.out = got.data();
    std::int64_t first_bad = 0;
    DeviceFault fault;
    run.first_bad = &first_bad;
    run.fault = &fault;
    const int error = cuda::parsing_paste(run, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item && fault.position == status.position &&
                      (!status.ok() || got == wanted);
    if (!good) {
        std::printf("wrong: %s, %ld x %ld\n", name, height, width);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    const std::vector<float> boxes{3,  5, 60.9F, 31,  0,   0,  300,    300, 9, 9, 2, 2,
                                   -4, 2, 20,    0.5, 3e9, 40, -1e30F, 3,   0, 0, 1, 1};
    if (argc > 1) {
        return check("usual", boxes, 24, 18, 50, 133) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check("nothing", {}, 2, 2, 4, 4);
    good &= check("odd", boxes, 24, 18, 50, 133);
    good &= check("whole quads", boxes, 128, 96, 64, 256);
    good &= check("one pixel", boxes, 1, 1, 1, 1);
    std::vector<float> bad = boxes;
    bad[10] = INFINITY;
    bad[21] = NAN;
    good &= check("not finite", bad, 24, 18, 50, 133);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
