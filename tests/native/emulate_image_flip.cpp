// csrc/kernels/image_flip/cuda.cu on the CPU, against cpu.cpp, at addresses of every kind.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/image_flip/cuda.cu"

namespace {

using namespace refpix;

bool check(std::int64_t width, std::int64_t pixel_bytes, std::size_t in_shift,
           std::size_t out_shift, std::vector<std::uint8_t> flips) {
    ImageFlip args;
    args.count = static_cast<std::int64_t>(flips.size());
    args.height = 3;
    args.width = width;
    args.pixel_bytes = pixel_bytes;
    args.flips = flips.data();
    const auto size = static_cast<std::size_t>(args.count * args.image_bytes());
    // Vectors begin at multiples of 16 and end with their last number, for AddressSanitizer.
    std::vector<std::uint8_t> images(in_shift + size), out(out_shift + size), wanted(size);
    for (std::size_t i = 0; i < images.size(); ++i) {
        images[i] = static_cast<std::uint8_t>(i * i + i / 7);
    }
    args.images = images.data() + in_shift;
    args.out = wanted.data();
    const Status status = cpu::image_flip(args);
    args.out = out.data() + out_shift;
    std::int64_t first_bad = 0;
    DeviceFault fault;
    const int error = cuda::image_flip({args, &first_bad, &fault}, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item &&
                      (!status.ok() || std::equal(wanted.begin(), wanted.end(), args.out));
    if (!good) {
        std::printf("wrong: width %ld, %ld bytes a pixel, at %zu to %zu\n", width, pixel_bytes,
                    in_shift, out_shift);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) {
        return check(53, 3, 1, 0, {1, 2}) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check(5, 3, 0, 0, {3, 0, 4, 5}) && check(5, 3, 0, 0, {});
    for (const std::int64_t pixel_bytes : {1, 2, 3, 4, 12}) {
        for (const std::int64_t width : {1, 6, 64, 117, 800}) {
            good &= check(width, pixel_bytes, 0, 0, {0, 1, 2, 3});
            if (pixel_bytes % 4 != 0) {
                good &= check(width, pixel_bytes, 3, 0, {3, 2});
                good &= check(width, pixel_bytes, 2, 5, {0, 1});
            }
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
