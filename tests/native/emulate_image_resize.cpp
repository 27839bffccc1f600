// csrc/kernels/image_resize/cuda.cu on the CPU, against cpu.cpp: pixels to the bit, faults.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/image_resize/cuda.cu"

namespace {

using namespace refpix;

struct Size {
    std::int64_t height, width;
};

struct Batch {
    std::vector<std::uint8_t> pixels;  // ends with the last one, for AddressSanitizer to guard
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int64_t> sizes;

    Batch(const std::vector<Size>& all, int channels) {
        std::uint32_t random = 1;
        for (const Size& size : all) {
            sizes.push_back(size.height);
            sizes.push_back(size.width);
            for (std::int64_t i = 0; i < size.height * size.width * channels; ++i) {
                random = random * 1664525u + 1013904223u;
                // Extremes are frequent, so that sums leave 0..255 and are clipped.
                const std::uint32_t kind = random >> 30;
                pixels.push_back(kind == 0   ? 0
                                 : kind == 1 ? 255
                                             : static_cast<std::uint8_t>(random >> 20));
            }
            offsets.push_back(static_cast<std::int64_t>(pixels.size()));
        }
    }
};

struct Result {
    Status status;
    std::vector<std::uint8_t> out;
};

ImageResize arguments(const Batch& batch, const ImageResize& options, Result* result) {
    ImageResize args = options;
    args.pixels = batch.pixels.data();
    args.size = static_cast<std::int64_t>(batch.pixels.size());
    args.offsets = batch.offsets.data();
    args.sizes = batch.sizes.data();
    args.count = static_cast<std::int64_t>(batch.sizes.size() / 2);
    result->out.assign(
        static_cast<std::size_t>(args.count * args.out_height * args.out_width * args.channels), 7);
    args.out = result->out.data();
    return args;
}

bool check(const char* name, const Batch& batch, const ImageResize& options) {
    Result wanted, got;
    wanted.status = cpu::image_resize(arguments(batch, options, &wanted));
    std::int64_t first_bad = 0;
    DeviceFault fault;
    const ImageResize args = arguments(batch, options, &got);
    std::vector<std::int64_t> plan(static_cast<std::size_t>(
        args.count * (args.out_height + args.out_width) * cuda::plan_words));
    const cuda::ImageResizeRun run{args, &first_bad, plan.data(), &fault};
    const int error = cuda::image_resize(run, nullptr);
    got.status = {static_cast<Fault>(fault.fault), fault.item, fault.position};
    const bool good = error == 0 && got.status.fault == wanted.status.fault &&
                      got.status.item == wanted.status.item &&
                      got.status.position == wanted.status.position &&
                      (!wanted.status.ok() || got.out == wanted.out);
    if (!good) {
        std::printf("wrong: %s to %ld x %ld, %d channels, filter %d, order %d\n", name,
                    options.out_height, options.out_width, options.channels,
                    static_cast<int>(options.filter), static_cast<int>(options.order));
    }
    return good;
}

ImageResize options(std::int64_t height, std::int64_t width, int channels, ResizeFilter filter,
                    PassOrder order) {
    ImageResize args;
    args.out_height = height;
    args.out_width = width;
    args.channels = channels;
    args.filter = filter;
    args.order = order;
    return args;
}

bool check_faults() {
    const ImageResize wanted = options(4, 4, 3, ResizeFilter::bicubic, PassOrder::pillow13);
    Batch batch({{3, 5}, {4, 4}, {2, 2}}, 3);
    bool good = check("sound", batch, wanted);
    batch.sizes[4] = 3;
    good &= check("a size that is not the span's", batch, wanted);
    batch.sizes[2] = 0;
    good &= check("no height, and the fault before behind it", batch, wanted);
    batch.offsets[1] = -1;
    good &= check("a negative offset", batch, wanted);
    return good;
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    using enum ResizeFilter;
    using enum PassOrder;
    if (argc > 1) {
        return check("both passes", Batch({{37, 50}, {50, 18}}, 3),
                     options(20, 34, 3, bicubic, pillow13))
                   ? EXIT_SUCCESS
                   : EXIT_FAILURE;
    }
    bool good = check_faults();
    good &= check("nothing", Batch({}, 3), options(4, 4, 3, bicubic, pillow13));
    const std::vector<Size> sizes{{1, 1}, {5, 3}, {33, 35}, {16, 32}, {70, 20}, {40, 41}};
    for (const int channels : {1, 3}) {
        const Batch batch(sizes, channels);
        for (const ResizeFilter filter : {box, bilinear, bicubic}) {
            good &= check("mixed", batch, options(17, 33, channels, filter, pillow13));
            good &= check("mixed", batch, options(33, 35, channels, filter, pillow12));
            good &= check("mixed", batch, options(1, 1, channels, filter, pillow13));
            good &= check("mixed", batch, options(3, 70, channels, filter, pillow13));
        }
    }
    // More taps than are kept, more of a strip than fits, either pass first, slivers.
    good &= check("tall", Batch({{900, 9}}, 3), options(7, 20, 3, bicubic, pillow13));
    good &= check("tall", Batch({{910, 9}}, 3), options(7, 20, 3, bicubic, pillow12));
    good &= check("tall, horizontally first", Batch({{800, 9}}, 3),
                  options(7, 20, 3, bicubic, pillow12));
    good &= check("wide", Batch({{9, 1200}}, 3), options(5, 6, 3, bicubic, pillow13));
    good &= check("wide, vertically first", Batch({{500, 700}}, 1),
                  options(4, 600, 1, bilinear, pillow13));
    good &= check("both, vertically first", Batch({{900, 400}}, 3),
                  options(2, 5, 3, bilinear, pillow13));
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
