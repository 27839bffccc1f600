// csrc/kernels/image_noise/cuda.cu on the CPU, against cpu.cpp: its table lies in shared memory.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/image_noise/cuda.cu"

namespace {

using namespace refpix;

bool check(std::int64_t item_bytes, std::size_t in_shift, std::size_t out_shift,
           const std::vector<double>& sigmas) {
    ImageNoise args;
    args.count = static_cast<std::int64_t>(sigmas.size());
    args.item_bytes = item_bytes;
    args.sigmas = sigmas.data();
    const std::vector<std::int64_t> keys{1, 2, -3, 4, INT64_MIN, INT64_MAX};
    args.keys = keys.data();
    const auto size = static_cast<std::size_t>(args.count * item_bytes);
    // Vectors end with their last number, for AddressSanitizer.
    std::vector<std::uint8_t> images(in_shift + size), out(out_shift + size), wanted(size);
    for (std::size_t i = 0; i < images.size(); ++i) {
        images[i] = static_cast<std::uint8_t>(i * i + i / 7);
    }
    args.images = images.data() + in_shift;
    args.out = wanted.data();
    const Status status = cpu::image_noise(args);
    args.out = out.data() + out_shift;
    std::int64_t first_bad = 0;
    DeviceFault fault;
    const int error = cuda::image_noise({args, &first_bad, &fault}, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item &&
                      (!status.ok() || std::equal(wanted.begin(), wanted.end(), args.out));
    if (!good) {
        std::printf("wrong: %ld bytes, at %zu to %zu\n", item_bytes, in_shift, out_shift);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    bool good = check(2085, 1, 0, {25, 0.5, 1000});
    if (argc > 1) {
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    good &= check(2048, 0, 0, {25, 0.5, 1000}) && check(2048, 3, 8, {9, 9, 9});
    good &= check(5, 0, 3, {1, 2, 3}) && check(0, 0, 0, {1, 2, 3}) && check(9, 0, 0, {});
    good &= check(64, 0, 0, {1, -1, 1e9});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
