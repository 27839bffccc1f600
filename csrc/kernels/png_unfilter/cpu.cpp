#include <cstdlib>
#include <cstring>

#include "kernels/png_unfilter/png_unfilter.h"

namespace refpix::cpu {
namespace {

enum Filter : std::uint8_t { none = 0, sub = 1, up = 2, average = 3, paeth = 4 };

struct Row {
    const std::uint8_t* in;
    const std::uint8_t* above;  // the row before, or zeros
    std::uint8_t* out;
    std::int64_t bytes;
};

int paeth_predictor(int left, int above, int corner) noexcept {
    const int by_left = above > corner ? above - corner : corner - above;
    const int by_above = left > corner ? left - corner : corner - left;
    const int sum = left + above - 2 * corner;
    const int by_corner = sum < 0 ? -sum : sum;
    if (by_left <= by_above && by_left <= by_corner) {
        return left;
    }
    return by_above <= by_corner ? above : corner;
}

// What every filter does: byte + prediction from left, above and the corner, modulo 256.
template <Filter filter>
void unfilter(const Row& row, std::int64_t pixel) noexcept {
    for (std::int64_t i = 0; i < row.bytes; ++i) {
        const int left = i < pixel ? 0 : row.out[i - pixel];
        const int corner = i < pixel ? 0 : row.above[i - pixel];
        const int predicted = filter == sub       ? left
                              : filter == average ? (left + row.above[i]) / 2
                                                  : paeth_predictor(left, row.above[i], corner);
        row.out[i] = static_cast<std::uint8_t>(row.in[i] + predicted);
    }
}

// Mattes are mostly empty or full: where the row holds nothing but zeros, left and above and the
// corner being equal, the prediction is that value.
void unfilter_paeth_gray(const Row& row) noexcept {
    int left = 0;
    int corner = 0;
    for (std::int64_t i = 0; i < row.bytes;) {
        if (i + 8 <= row.bytes && left == corner) {
            const std::uint64_t same = 0x0101010101010101ULL * static_cast<std::uint64_t>(left);
            std::uint64_t in;
            std::uint64_t above;
            std::memcpy(&in, row.in + i, sizeof in);
            std::memcpy(&above, row.above + i, sizeof above);
            if (in == 0 && above == same) {
                std::memcpy(row.out + i, &same, sizeof same);
                i += 8;
                continue;
            }
        }
        const int above = row.above[i];
        left = (row.in[i] + paeth_predictor(left, above, corner)) & 0xFF;
        row.out[i] = static_cast<std::uint8_t>(left);
        corner = above;
        ++i;
    }
}

void unfilter_up(const Row& row) noexcept {
    for (std::int64_t i = 0; i < row.bytes; ++i) {
        row.out[i] = static_cast<std::uint8_t>(row.in[i] + row.above[i]);
    }
}

bool unfilter_row(std::uint8_t filter, const Row& row, std::int64_t pixel) noexcept {
    switch (filter) {
        case none:
            std::memcpy(row.out, row.in, static_cast<std::size_t>(row.bytes));
            return true;
        case sub:
            unfilter<sub>(row, pixel);
            return true;
        case up:
            unfilter_up(row);
            return true;
        case average:
            unfilter<average>(row, pixel);
            return true;
        case paeth:
            pixel == 1 ? unfilter_paeth_gray(row) : unfilter<paeth>(row, pixel);
            return true;
        default:
            return false;
    }
}

}  // namespace

Status png_unfilter(const PngUnfilter& args) noexcept {
    // Above the first row lie zeros.
    auto* zeros =
        static_cast<std::uint8_t*>(std::calloc(static_cast<std::size_t>(args.row_bytes) + 1, 1));
    if (zeros == nullptr) {
        return {Fault::out_of_memory, -1, -1};
    }
    const std::uint8_t* above = zeros;
    Status status;
    for (std::int64_t y = 0; y < args.height && status.ok(); ++y) {
        const std::uint8_t* in = args.rows + y * (args.row_bytes + 1);
        std::uint8_t* out = args.out + y * args.row_bytes;
        if (!unfilter_row(in[0], {in + 1, above, out, args.row_bytes}, args.pixel_bytes)) {
            status = {Fault::image_unrecognised, y, 0};
        }
        above = out;
    }
    std::free(zeros);
    return status;
}

}  // namespace refpix::cpu
