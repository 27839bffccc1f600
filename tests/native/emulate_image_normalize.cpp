// csrc/kernels/image_normalize/cuda.cu on the CPU, against plain loops over the shared table.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/image_normalize/cuda.cu"

namespace {

using namespace refpix;

struct Case {
    std::int64_t count, height, width;
    std::int64_t row_slack, image_slack;   // bytes beyond packed rows and images
    std::int64_t in_offset, out_elements;  // of the first pixel and the first output
};

template <typename Convert>
bool check(const Case& c, NormalizeType type, bool channels_last) {
    using T = typename Convert::Type;
    const float mean[3] = {0.485f, 0.456f, 0.406f};
    const float std[3] = {0.229f, 0.224f, 0.225f};
    ImageNormalize args;
    args.count = c.count;
    args.height = c.height;
    args.width = c.width;
    args.row_stride_bytes = 3 * c.width + c.row_slack;
    args.image_stride_bytes = args.row_stride_bytes * c.height + c.image_slack;
    args.type = type;
    args.channels_last = channels_last;
    // The buffers end with the last pixel, for AddressSanitizer to guard both.
    const std::int64_t pixels = c.count * c.height * c.width;
    const std::int64_t bytes = pixels == 0
                                   ? 0
                                   : c.in_offset + (c.count - 1) * args.image_stride_bytes +
                                         (c.height - 1) * args.row_stride_bytes + 3 * c.width;
    std::vector<std::uint8_t> in(static_cast<std::size_t>(bytes));
    std::uint32_t random = 1;
    for (auto& byte : in) {
        random = random * 1664525u + 1013904223u;
        byte = static_cast<std::uint8_t>(random >> 24);
    }
    std::vector<T> out(static_cast<std::size_t>(c.out_elements + 3 * pixels), T{77});
    std::vector<T> wanted = out;
    T table[3 * 256];
    normalize::fill_table<Convert>(mean, std, table);
    args.images = in.data() + c.in_offset;
    args.out = out.data() + c.out_elements;
    for (int channel = 0; channel < 3; ++channel) {
        args.mean[channel] = mean[channel];
        args.std[channel] = std[channel];
        for (std::int64_t i = 0; i < pixels; ++i) {
            const std::int64_t image = i / (c.height * c.width);
            const std::int64_t row = i / c.width % c.height;
            const std::int64_t column = i % c.width;
            const std::uint8_t byte =
                args.images[image * args.image_stride_bytes + row * args.row_stride_bytes +
                            3 * column + channel];
            const std::int64_t place =
                channels_last ? 3 * i + channel
                              : (3 * image + channel) * c.height * c.width + row * c.width + column;
            wanted[static_cast<std::size_t>(c.out_elements + place)] = table[256 * channel + byte];
        }
    }
    if (cuda::image_normalize(args, nullptr) != 0 || out != wanted) {
        std::printf("wrong: type %d, %ld x %ld x %ld, slack %ld %ld, offsets %ld %ld\n",
                    static_cast<int>(type), c.count, c.height, c.width, c.row_slack, c.image_slack,
                    c.in_offset, c.out_elements);
        return false;
    }
    return true;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    const Case cases[] = {
        {0, 4, 4, 0, 0, 0, 0},    {2, 0, 4, 0, 0, 0, 0},     {2, 4, 0, 0, 0, 0, 0},
        {1, 1, 1, 0, 0, 0, 0},    {3, 1, 1, 0, 5, 1, 1},     {1, 16, 64, 0, 0, 0, 0},
        {2, 32, 64, 0, 0, 0, 0},  {2, 33, 35, 0, 0, 0, 0},   {1, 1, 1025, 0, 0, 0, 0},
        {2, 3, 1030, 6, 4, 3, 0}, {1, 24, 64, 64, 32, 0, 0}, {2, 20, 52, 0, 0, 4, 4},
        {2, 16, 64, 0, 0, 1, 0},  {1, 16, 64, 0, 0, 0, 1},   {40, 2, 8, 16, 16, 16, 0},
    };
    bool good = true;
    for (const Case& c : cases) {
        if (argc > 1 && c.count * c.height * c.width < 2000) {
            continue;
        }
        for (const bool last : {false, true}) {
            good &= check<normalize::Float32>(c, NormalizeType::float32, last);
            good &= check<normalize::Float16>(c, NormalizeType::float16, last);
            good &= check<normalize::BFloat16>(c, NormalizeType::bfloat16, last);
        }
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
