#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <new>

#include "kernels/jpeg_decode/reader_state.h"

namespace refpix {
namespace {

// Pillow hands its decoder blocks of this size, and so do we: what libjpeg makes of damage depends
// on how near the end of a block it is met. libjpeg cannot suspend arithmetic decoding: whether a
// larger arithmetic file decodes is Pillow's to say.
constexpr std::int64_t pillow_block = 65536;

// Pillow's conversion, with the inversion that Adobe files want.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::int64_t pixels, std::uint8_t* rgb) noexcept {
    for (std::int64_t i = 0; i < pixels; ++i, cmyk += 4, rgb += 3) {
        const int white = cmyk[3];  // 255 - K; K is stored inverted
        for (int c = 0; c < 3; ++c) {
            const int product = (255 - cmyk[c]) * white + 128;
            rgb[c] = static_cast<std::uint8_t>(white - (((product >> 8) + product) >> 8));
        }
    }
}

}  // namespace

void JpegReader::State::prepare_callbacks() noexcept {
    info.err = jpeg_std_error(&errors);
    errors.error_exit = [](j_common_ptr common) { std::longjmp(of(common).jump, 1); };
    // Pillow goes on after warnings and prints nothing.
    errors.emit_message = [](j_common_ptr common, int level) {
        common->err->num_warnings += level < 0;
    };
    errors.output_message = [](j_common_ptr) {};

    source.init_source = [](j_decompress_ptr) {};
    source.term_source = [](j_decompress_ptr) {};
    source.fill_input_buffer = [](j_decompress_ptr decompress) -> boolean {
        of(decompress).starved = true;
        return FALSE;  // suspend
    };
    source.resync_to_restart = jpeg_resync_to_restart;
    source.skip_input_data = [](j_decompress_ptr decompress, long count) {
        State& state = of(decompress);
        jpeg_source_mgr& from = state.source;
        const long at_hand = static_cast<long>(from.bytes_in_buffer);
        const long now = count < at_hand ? count : at_hand;
        state.to_skip = count - now;
        from.next_input_byte += now;
        from.bytes_in_buffer -= static_cast<std::size_t>(now);
    };
    source.next_input_byte = data;
    source.bytes_in_buffer = 0;
    fed = 0;
    feed(pillow_block);

    progress.progress_monitor = [](j_common_ptr common) {
        State& state = of(common);
        if (state.info.input_scan_number > state.options.scan_limit) {
            state.too_many_scans = true;
            std::longjmp(state.jump, 1);
        }
    };
}

// A new object for every image: Huffman and quantization tables outlive jpeg_abort_decompress(),
// and a file that lacks them would be decoded with those of the image before.
bool JpegReader::State::create() noexcept {
    std::memset(&info, 0, sizeof info);
    prepare_callbacks();
    info.client_data = this;
    if (setjmp(jump) != 0) {
        jpeg_destroy_decompress(&info);
        return false;
    }
    jpeg_create_decompress(&info);
    info.src = &source;
    info.progress = &progress;
    created = true;
    return true;
}

Outcome JpegReader::State::read_header() noexcept {
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    int answer;
    do {
        answer = jpeg_read_header(&info, FALSE);
    } while (answer == JPEG_HEADER_TABLES_ONLY);
    return answer == JPEG_HEADER_OK ? Outcome::done : Outcome::suspended;
}

Outcome JpegReader::State::start() noexcept {
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    return jpeg_start_decompress(&info) ? Outcome::done : Outcome::suspended;
}

// Rows go where the caller wants them, `row` counts them. A stride of 0 keeps only the last.
Outcome JpegReader::State::scanlines(std::uint8_t* rows, std::int64_t stride_bytes,
                                     std::int64_t count) noexcept {
    // One call gives a row group (1 to 4 rows) at most.
    constexpr std::int64_t group = 4;
    JSAMPROW pointers[group];
    const std::int64_t first = row;
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    while (row < first + count) {
        const std::int64_t left = first + count - row;
        const std::int64_t wanted = left < group ? left : group;
        for (std::int64_t i = 0; i < wanted; ++i) {
            pointers[i] = rows + (row - first + i) * stride_bytes;
        }
        const JDIMENSION got =
            jpeg_read_scanlines(&info, pointers, static_cast<JDIMENSION>(wanted));
        if (got == 0) {
            return Outcome::suspended;
        }
        row += got;
    }
    return Outcome::done;
}

Outcome JpegReader::State::finish() noexcept {
    if (setjmp(jump) != 0) {
        return Outcome::failed;
    }
    return jpeg_finish_decompress(&info) ? Outcome::done : Outcome::suspended;
}

// libjpeg wants more than it has: the next block. After the last one Pillow, if it accepts that,
// adds an end-of-image marker, once.
Status JpegReader::State::more() noexcept {
    if (fed < size) {
        feed(pillow_block);
        return {};
    }
    if (!options.allow_truncated || end_appended) {
        return {Fault::jpeg_truncated, -1, size};
    }
    try {
        tail.assign(source.next_input_byte, source.next_input_byte + source.bytes_in_buffer);
        tail.push_back(0xff);
        tail.push_back(JPEG_EOI);
    } catch (...) {
        return {Fault::out_of_memory, -1, -1};
    }
    end_appended = true;
    source.next_input_byte = tail.data();
    source.bytes_in_buffer = tail.size();
    if (to_skip > 0) {
        source.skip_input_data(&info, static_cast<long>(to_skip));
    }
    return to_skip == 0 ? Status{} : Status{Fault::jpeg_truncated, -1, size};
}

// After an outcome that is not `done`: ok to call again, ok with stage `ended`, or a fault.
Status JpegReader::State::settle(Outcome outcome) noexcept {
    Status status;
    if (outcome == Outcome::suspended) {
        status = more();
    } else if (too_many_scans) {
        return {Fault::jpeg_scan_limit, -1, position()};
    } else if (errors.msg_code == JERR_OUT_OF_MEMORY) {
        return {Fault::out_of_memory, -1, -1};
    } else {
        status = {Fault::jpeg_corrupt, -1, position()};
    }
    if (!status.ok() && status.fault != Fault::out_of_memory && options.allow_truncated) {
        stage = Stage::ended;
        return {};
    }
    return status;
}

Status JpegReader::State::open() noexcept {
    release();
    end_appended = too_many_scans = starved = taken_over = gave_up = sought = false;
    to_skip = row = width = height = columns = 0;
    const Status status = jpeg_check(data, size, options, &header);
    if (!status.ok()) {
        return status;
    }
    width = columns = header.scaled_width(options.scale_denom);
    height = header.scaled_height(options.scale_denom);
    if (!create()) {
        return {Fault::out_of_memory, -1, -1};
    }
    stage = Stage::header;
    return {};
}

// Whether libjpeg smooths over blocks whose coefficients have not arrived in full: those of
// progressive files that were cut.
bool JpegReader::State::incomplete() const noexcept {
    if (!info.progressive_mode) {
        return false;
    }
    constexpr int smoothed_coefficients = 10;
    for (int c = 0; c < info.num_components; ++c) {
        for (int i = 1; i < smoothed_coefficients; ++i) {
            if (info.coef_bits[c][i] != 0) {
                return true;
            }
        }
    }
    return false;
}

// Up to the first row. Progressive files are decoded whole here.
Status JpegReader::State::begin() noexcept {
    for (Outcome outcome; (outcome = read_header()) != Outcome::done;) {
        const Status status = settle(outcome);
        if (!status.ok() || stage == Stage::ended) {
            return status;
        }
    }
    info.out_color_space = cmyk() ? JCS_CMYK : JCS_RGB;
    info.dct_method = JDCT_ISLOW;
    info.do_fancy_upsampling = TRUE;
    info.scale_num = 1;
    info.scale_denom = static_cast<unsigned>(options.scale_denom);
    for (Outcome outcome; (outcome = start()) != Outcome::done;) {
        const Status status = settle(outcome);
        if (!status.ok() || stage == Stage::ended) {
            return status;
        }
    }
    // The caller's rows have the size that our own reading of the header gave.
    if (info.output_width != width || info.output_height != height ||
        info.output_components != (cmyk() ? 4 : 3)) {
        return {Fault::jpeg_corrupt, -1, position()};
    }
    // Before 3.0.1 smoothing went wrong at the edges of some samplings; Pillow's wheels carry a
    // newer one.
    if (LIBJPEG_TURBO_VERSION_NUMBER < 3000001 && incomplete()) {
        return {Fault::jpeg_unsupported, -1, position()};
    }
    take_over();
    stage = Stage::rows;
    return {};
}

// Rows as libjpeg gives them; `row` stays behind when the data end early.
Status JpegReader::State::decode(std::uint8_t* rows, std::int64_t stride_bytes,
                                 std::int64_t count) noexcept {
    if (stage == Stage::header) {
        const Status status = begin();
        if (!status.ok()) {
            return status;
        }
    }
    const std::int64_t first = row;
    while (stage == Stage::rows && row < first + count) {
        const std::int64_t done = row - first;
        const Outcome outcome = scanlines(rows + done * stride_bytes, stride_bytes, count - done);
        if (outcome == Outcome::failed && gave_up) {
            const Status status = start_again();
            if (!status.ok()) {
                return status;
            }
        } else if (outcome != Outcome::done) {
            const Status status = settle(outcome);
            if (!status.ok()) {
                return status;
            }
        }
    }
    return {};
}

Status JpegReader::State::decode_cmyk(std::uint8_t* rows, std::int64_t stride_bytes,
                                      std::int64_t count) noexcept {
    try {
        line.resize(static_cast<std::size_t>(columns * 4));
    } catch (...) {
        return {Fault::out_of_memory, -1, -1};
    }
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t before = row;
        const Status status = decode(line.data(), 0, 1);
        if (!status.ok() || row == before) {
            return status;
        }
        cmyk_to_rgb(line.data(), columns, rows + i * stride_bytes);
    }
    return {};
}

Status jpeg_check(const std::uint8_t* data, std::int64_t size, const JpegOptions& options,
                  JpegHeader* header) noexcept {
    const Status status = jpeg_header(data, size, header);
    if (!status.ok()) {
        return status;
    }
    if (header->width > options.pixel_limit / header->height) {
        return {Fault::image_pixel_limit, -1, -1};
    }
    if (header->arithmetic() && size > pillow_block) {
        return {Fault::jpeg_unsupported, -1, -1};
    }
    return {};
}

// What follows the last row, read only to be judged. An end that is missing is no fault to Pillow,
// a second frame is; libjpeg-turbo before 3.0 wants the whole of that frame's header to say so.
Status JpegReader::State::check_rest() noexcept {
    Outcome outcome;
    while ((outcome = finish()) == Outcome::suspended && fed < size) {
        feed(pillow_block);
    }
    const int marker = info.unread_marker;
    const bool second_frame =
        (marker >= 0xc0 && marker <= 0xc2) || marker == 0xc9 || marker == 0xca;
    if (outcome == Outcome::failed || (outcome == Outcome::suspended && second_frame)) {
        return settle(Outcome::failed);
    }
    return {};
}

Status JpegReader::State::read(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count,
                               std::int64_t* got) noexcept {
    const std::int64_t first = row;
    *got = 0;
    count = std::min(count, height - first);
    Status status =
        cmyk() ? decode_cmyk(rows, stride_bytes, count) : decode(rows, stride_bytes, count);
    if (!status.ok()) {
        return status;
    }
    for (; row < first + count; ++row) {
        std::memset(rows + (row - first) * stride_bytes, cmyk() ? 255 : 0,
                    static_cast<std::size_t>(columns * 3));
    }
    if (row == height && !options.allow_truncated) {
        status = check_rest();
        if (!status.ok()) {
            return status;
        }
    }
    *got = count;
    return {};
}

JpegReader::JpegReader() noexcept = default;
JpegReader::~JpegReader() = default;
JpegReader::JpegReader(JpegReader&&) noexcept = default;
JpegReader& JpegReader::operator=(JpegReader&&) noexcept = default;

Status JpegReader::open(const std::uint8_t* data, std::int64_t size,
                        const JpegOptions& options) noexcept {
    if (state_ == nullptr) {
        state_.reset(new (std::nothrow) State);
        if (state_ == nullptr) {
            return {Fault::out_of_memory, -1, -1};
        }
    }
    State& state = *state_;
    state.options = options;
    state.data = data;
    state.size = size;
    state.plain = false;
    return state.open();
}

std::int64_t JpegReader::width() const noexcept {
    return state_->width;
}
std::int64_t JpegReader::height() const noexcept {
    return state_->height;
}
const JpegHeader& JpegReader::header() const noexcept {
    return state_->header;
}

Status JpegReader::read(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count,
                        std::int64_t* got) noexcept {
    return state_->read(rows, stride_bytes, count, got);
}

void JpegReader::close() noexcept {
    if (state_ != nullptr) {
        state_->release();
    }
}

}  // namespace refpix
