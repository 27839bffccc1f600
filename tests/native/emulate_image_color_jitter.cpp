// csrc/kernels/image_color_jitter/cuda.cu on the CPU, against cpu.cpp: its sums come from atomics.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/image_color_jitter/cuda.cu"

namespace {

using namespace refpix;

bool check(std::int64_t height, std::int64_t width, std::size_t in_shift, std::size_t out_shift,
           const std::vector<double>& factors, const std::vector<std::uint8_t>& orders) {
    ImageColorJitter args;
    args.count = static_cast<std::int64_t>(factors.size() / 4);
    args.height = height;
    args.width = width;
    args.factors = factors.data();
    args.orders = orders.empty() ? nullptr : orders.data();
    const auto size = static_cast<std::size_t>(3 * args.count * args.pixels());
    // Vectors end with their last number, for AddressSanitizer.
    std::vector<std::uint8_t> images(in_shift + size), out(out_shift + size), wanted(size);
    for (std::size_t i = 0; i < images.size(); ++i) {
        images[i] = static_cast<std::uint8_t>(i * i + i / 7);
    }
    args.images = images.data() + in_shift;
    args.out = wanted.data();
    const Status status = cpu::image_color_jitter(args);
    args.out = out.data() + out_shift;
    std::int64_t first_bad = 0;
    std::vector<unsigned long long> sums(static_cast<std::size_t>(args.count));
    DeviceFault fault;
    const int error = cuda::image_color_jitter({args, &first_bad, sums.data(), &fault}, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item && fault.position == status.position &&
                      (!status.ok() || std::equal(wanted.begin(), wanted.end(), args.out));
    if (!good) {
        std::printf("wrong: %ld x %ld, at %zu to %zu\n", height, width, in_shift, out_shift);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    const std::vector<double> two{0.8, 1.3, 0.5, -0.2, 1.1, 0.4, 2.0, 0.1};
    const std::vector<std::uint8_t> orders{3, 1, 0, 2, 4, 2, 1, 4};
    bool good = check(41, 53, 1, 0, two, orders);
    if (argc > 1) {
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    good &= check(3, 1, 0, 0, two, {}) && check(0, 5, 0, 0, two, {}) && check(2, 2, 0, 0, {}, {});
    good &= check(7, 11, 2, 5, two, orders) && check(16, 32, 0, 0, two, orders);
    good &= check(2, 2, 0, 0, {1, 1, 1, 0, 1, -1, 1, 0.6}, {});
    good &= check(2, 2, 0, 0, two, {0, 1, 2, 3, 0, 1, 1, 3});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
