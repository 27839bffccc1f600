// csrc/kernels/image_resize_normalize/cuda.cu on the CPU, against cpu.cpp, bit for bit.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kernels/image_resize_normalize/cuda.cu"

namespace {

using namespace refpix;

struct Size {
    std::int64_t height, width;
};

bool check(const char* name, const std::vector<Size>& pictures, Size out, NormalizeType type,
           bool channels_last) {
    std::vector<std::uint8_t> pixels;
    std::vector<std::int64_t> offsets{0}, sizes;
    std::uint32_t random = 1;
    for (const Size& size : pictures) {
        sizes.insert(sizes.end(), {size.height, size.width});
        for (std::int64_t i = 0; i < size.height * size.width * 3; ++i) {
            random = random * 1664525u + 1013904223u;
            pixels.push_back(static_cast<std::uint8_t>(random >> 24));
        }
        offsets.push_back(static_cast<std::int64_t>(pixels.size()));
    }
    ImageResizeNormalize args;
    args.resize.pixels = pixels.data();
    args.resize.size = static_cast<std::int64_t>(pixels.size());
    args.resize.offsets = offsets.data();
    args.resize.sizes = sizes.data();
    args.resize.count = static_cast<std::int64_t>(pictures.size());
    args.resize.out_height = out.height;
    args.resize.out_width = out.width;
    Normalization& to = args.normalization;
    to.type = type;
    to.channels_last = channels_last;
    for (int c = 0; c < 3; ++c) {
        to.mean[c] = 0.4f + 0.1f * static_cast<float>(c);
        to.std[c] = 0.25f + 0.01f * static_cast<float>(c);
    }
    const auto bytes = static_cast<std::size_t>(args.resize.count * 3 * out.height * out.width) *
                       (type == NormalizeType::float32 ? 4 : 2);
    std::vector<char> wanted(bytes, 7), got(bytes, 7);
    to.out = wanted.data();
    const Status status = cpu::image_resize_normalize(args);
    to.out = got.data();
    std::vector<std::int64_t> plan(
        static_cast<std::size_t>(args.resize.count * (out.height + out.width) * cuda::plan_words));
    std::int64_t first_bad = 0;
    DeviceFault fault;
    const int error =
        cuda::image_resize_normalize({args.resize, &first_bad, plan.data(), &fault}, to, nullptr);
    const bool good = status.ok() && error == 0 && fault.fault == 0 && got == wanted;
    if (!good) {
        std::printf("wrong: %s, type %d, channels last %d\n", name, static_cast<int>(type),
                    channels_last);
    }
    return good;
}

}  // namespace

// With an argument only one case: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    using enum NormalizeType;
    if (argc > 1) {
        return check("both passes", {{37, 50}, {50, 18}}, {20, 34}, float32, false) ? EXIT_SUCCESS
                                                                                    : EXIT_FAILURE;
    }
    bool good = true;
    for (const NormalizeType type : {float32, float16, bfloat16}) {
        for (const bool channels_last : {false, true}) {
            good &= check("odd sizes", {{37, 50}, {70, 20}}, {35, 33}, type, channels_last);
            good &= check("whole quads", {{40, 33}}, {36, 64}, type, channels_last);
        }
    }
    good &= check("more taps than are kept", {{20, 700}}, {33, 7}, float32, true);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
