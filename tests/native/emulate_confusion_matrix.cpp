// csrc/kernels/confusion_matrix/cuda.cu on the CPU, against cpu.cpp: counts and faults.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "kernels/confusion_matrix/cuda.cu"

namespace {

using namespace refpix;

// Runs of labels, some beyond the last; `shift` labels lie before the first.
template <typename T>
std::vector<T> labels(std::size_t pixels, std::int64_t num_labels, std::size_t shift,
                      std::uint32_t random) {
    std::vector<T> made(shift);
    while (made.size() < shift + pixels) {
        random = random * 1664525u + 1013904223u;
        const auto label = static_cast<T>((random >> 16) % (num_labels + 2));
        for (std::uint32_t i = 0; i <= (random >> 27) && made.size() < shift + pixels; ++i) {
            made.push_back(label);
        }
    }
    return made;
}

template <typename Pred, typename Gt>
bool check(std::size_t pixels, std::int64_t num_labels, std::size_t shift = 0,
           std::vector<std::size_t> negative = {}) {
    std::vector<Pred> pred = labels<Pred>(pixels, num_labels, shift, 1);
    std::vector<Gt> gt = labels<Gt>(pixels, num_labels, 0, 2);
    for (const std::size_t place : negative) {
        pred[shift + place] = static_cast<Pred>(-5);
        gt[place] = 0;
    }
    cuda::ConfusionMatrixRun run;
    ConfusionMatrix& args = run.args;
    args.pred = pred.data() + shift;
    args.gt = gt.data();
    args.pred_is_byte = sizeof(Pred) == 1;
    args.gt_is_byte = sizeof(Gt) == 1;
    args.pixels = static_cast<std::int64_t>(pixels);
    args.item_pixels = 100;
    args.num_labels = num_labels;
    args.ignore = 1;
    const auto cells = static_cast<std::size_t>(num_labels * num_labels);
    std::vector<std::int64_t> wanted(cells, 9), got(cells, 9);
    args.out = wanted.data();
    const Status status = cpu::confusion_matrix(args);
    args.out = got.data();
    std::int64_t first_bad = 0;
    DeviceFault fault;
    run.first_bad = &first_bad;
    run.fault = &fault;
    const int error = cuda::confusion_matrix(run, nullptr);
    const bool good = error == 0 && fault.fault == static_cast<std::int32_t>(status.fault) &&
                      fault.item == status.item && fault.position == status.position &&
                      status.ok() == negative.empty() && (!status.ok() || got == wanted);
    if (!good) {
        std::printf("wrong: %zu pixels, %ld labels, shift %zu\n", pixels, num_labels, shift);
    }
    return good;
}

}  // namespace

int main(int argc, char**) {
    using Byte = std::uint8_t;
    using Int = std::int32_t;
    if (argc > 1) {
        return check<Byte, Int>(20000, 20) ? EXIT_SUCCESS : EXIT_FAILURE;
    }
    bool good = check<Byte, Byte>(0, 3);
    for (const std::int64_t num_labels : {1, 20, 32, 33, 109, 110, 150}) {
        good &= check<Byte, Byte>(9001, num_labels);
        good &= check<Byte, Int>(4096, num_labels);
        good &= check<Int, Byte>(5003, num_labels, 3);
        good &= check<Int, Int>(5003, num_labels, 1);
    }
    good &= check<Int, Byte>(5000, 20, 0, {4321, 1234, 2000});
    good &= check<Int, Int>(5000, 200, 0, {77, 78});
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
