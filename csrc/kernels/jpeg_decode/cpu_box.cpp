// A box of a picture. Every bit above its last row has to be read; what is spared is the inverse
// DCT, upsampling and colour of what lies above and beside it.
#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "kernels/jpeg_decode/reader_state.h"

namespace refpix {
namespace {

// Earlier releases skip wrongly: endless loops, blocks of the wrong row.
constexpr bool can_skip = LIBJPEG_TURBO_VERSION_NUMBER >= 2001000;

}  // namespace

// Rows become narrower: from `left`, which moves down to where an iMCU begins, `wide` columns.
Outcome JpegReader::State::crop(JDIMENSION* left, JDIMENSION* wide) noexcept {
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    jpeg_crop_scanline(&info, left, wide);
    return Outcome::done;
}

Outcome JpegReader::State::skip(JDIMENSION count) noexcept {
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    return jpeg_skip_scanlines(&info, count) == count ? Outcome::done : Outcome::failed;
}

// Goes to the first row of a box, rows from `left` on. False: not possible, or not without
// changing what comes out; then only open() may follow.
bool JpegReader::State::seek(const JpegBox& box, std::int64_t* left) noexcept {
    *left = 0;
    if (!can_skip || options.scale_denom != 1 || header.arithmetic() || !begin().ok() ||
        stage != Stage::rows || incomplete() || end_appended) {
        return false;
    }
    // jpeg_skip_scanlines() cannot be suspended, and what libjpeg makes of damage depends on where
    // it is: so it must have read the file by now, or have nothing to read.
    if (fed < size && !taken_over) {
        return false;
    }
    starved = false;
    // To libjpeg a cropped row ends where it is cut: the columns beside a cut are upsampled without
    // their neighbours, and two samples of chroma or fewer are not interpolated at all. So one
    // column more to the left, two to the right, and one iMCU at least.
    const std::int64_t step =
        DCTSIZE * std::int64_t{info.num_components == 1 ? 1 : info.max_h_samp_factor};
    const std::int64_t first =
        std::max<std::int64_t>(0, std::min(box.x0 - 1, width - step) / step * step);
    const std::int64_t last = std::min(width, std::max(box.x1 + 2, first + step));
    if (last - first < width) {
        auto from = static_cast<JDIMENSION>(first);
        auto wide = static_cast<JDIMENSION>(last - first);
        if (crop(&from, &wide) != Outcome::done || from != first || wide != last - first) {
            return false;
        }
        *left = first;
        columns = last - first;
    }
    if (box.y0 > 0 && skip(static_cast<JDIMENSION>(box.y0)) != Outcome::done) {
        return false;
    }
    row = box.y0;
    sought = true;
    // libjpeg loses count of blocks when data end while it skips. Damage is left to the plain way.
    return !starved && errors.num_warnings == 0;
}

Status JpegReader::State::read_columns(const JpegBox& box, std::int64_t left,
                                       std::uint8_t* pixels) noexcept {
    constexpr std::int64_t block = 16;
    const std::int64_t stride = columns * 3;
    const std::int64_t wide = (box.x1 - box.x0) * 3;
    try {
        strip.resize(static_cast<std::size_t>(stride * block));
    } catch (...) {
        return {Fault::out_of_memory, -1, -1};
    }
    while (row < box.y1) {
        const std::int64_t first = row;
        std::int64_t got = 0;
        const Status status = read(strip.data(), stride, std::min(block, box.y1 - row), &got);
        if (!status.ok()) {
            return status;
        }
        for (std::int64_t y = std::max(first, box.y0); y < row; ++y) {
            std::memcpy(pixels + (y - box.y0) * wide,
                        strip.data() + (y - first) * stride + (box.x0 - left) * 3,
                        static_cast<std::size_t>(wide));
        }
    }
    return {};
}

Status JpegReader::read_box(const JpegBox& box, std::uint8_t* pixels) noexcept {
    State& state = *state_;
    std::int64_t left = 0;
    if (state.seek(box, &left)) {
        const Status status = state.read_columns(box, left, pixels);
        if (status.ok() && !state.starved && state.errors.num_warnings == 0) {
            return status;
        }
    }
    const Status status = state.open();
    return status.ok() ? state.read_columns(box, 0, pixels) : status;
}

}  // namespace refpix
