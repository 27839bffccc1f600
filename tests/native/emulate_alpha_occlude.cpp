// csrc/kernels/alpha_occlude/cuda.cu on the CPU, against cpu.cpp: planes, sums and faults to the
// bit.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/alpha_occlude/cuda.cu"

namespace {

using namespace refpix;

struct Case {
    std::int64_t planes, height, width, front_height, front_width, x, y, index;
    std::vector<std::int64_t> boxes;
    bool write = true;
};

template <typename T>
struct Result {
    std::vector<T> stack;
    std::vector<double> areas;
    Status status;
};

template <typename T>
AlphaOcclude arguments(const Case& c, const std::vector<std::uint8_t>& front, Result<T>& result) {
    std::uint32_t random = 5;
    for (std::int64_t i = 0; i < c.planes * c.height * c.width; ++i) {
        random = random * 1664525u + 1013904223u;
        result.stack.push_back(static_cast<T>(random >> 8) / T(1 << 24));
    }
    result.areas.assign(static_cast<std::size_t>(2 * (c.index + 1)), -1.0);
    AlphaOcclude args;
    args.type = sizeof(T) == 4 ? alpha::PlaneType::float32 : alpha::PlaneType::float64;
    args.stack = result.stack.data();
    args.planes = c.planes;
    args.height = c.height;
    args.width = c.width;
    args.front = front.data();
    args.front_height = c.front_height;
    args.front_width = c.front_width;
    args.x = c.x;
    args.y = c.y;
    args.index = c.index;
    args.boxes = c.boxes.empty() ? nullptr : c.boxes.data();
    args.write = c.write;
    args.areas = result.areas.data();
    return args;
}

template <typename T>
bool check(const Case& c) {
    std::vector<std::uint8_t> front;
    for (std::int64_t i = 0; i < c.front_height * c.front_width; ++i) {
        front.push_back(static_cast<std::uint8_t>(i * 37 % 300 < 256 ? i * 37 % 300 : 0));
    }
    Result<T> wanted, got;
    wanted.status = cpu::alpha_occlude(arguments(c, front, wanted));
    cuda::AlphaOccludeRun run;
    run.args = arguments(c, front, got);
    std::vector<double> segments(static_cast<std::size_t>(2 * cuda::segment_sums_of(run.args)),
                                 -1.0);
    std::int64_t first_bad = 0;
    DeviceFault fault;
    run.segments = segments.data();
    run.first_bad = &first_bad;
    run.fault = &fault;
    const int error = cuda::alpha_occlude(run, nullptr);
    const bool good = error == 0 && static_cast<Fault>(fault.fault) == wanted.status.fault &&
                      fault.item == wanted.status.item && got.stack == wanted.stack &&
                      got.areas == wanted.areas;
    if (!good) {
        std::printf("wrong: float%d, %ld x %ld x %ld, index %ld\n", static_cast<int>(8 * sizeof(T)),
                    c.planes, c.height, c.width, c.index);
    }
    return good;
}

bool check_types(const Case& c) {
    return check<float>(c) && check<double>(c);
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    if (argc > 1) {
        return check_types({2, 3, 600, 2, 580, -5, 1, 1, {}}) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good =
        check_types({3, 5, 701, 4, 690, 7, -1, 2, {3, 1, 690, 3, 260, 0, 41, 5, 0, 0, 0, 0}});
    good &= check_types({3, 5, 701, 4, 670, 40, 2, 1, {3, 1, 290, 3, 9, 0, 3, 2, 9, 9, 9, 9}});
    good &=
        check_types({3, 5, 701, 4, 670, 40, 2, 1, {3, 1, 290, 3, 9, 0, 3, 2, 0, 0, 0, 0}, false});
    good &= check_types({2, 600, 3, 4, 4, 900, 0, 0, {}});
    good &= check_types({1, 0, 4, 0, 0, 0, 0, 0, {}});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
