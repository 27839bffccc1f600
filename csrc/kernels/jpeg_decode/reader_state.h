// What JpegReader keeps between calls, for the files that implement it.
//
// libjpeg reports errors by calling back; the callback longjmps. What a longjmp leaves behind here
// is C frames of libjpeg and our own callbacks, which own nothing: every setjmp stands in a small
// member function below whose locals are trivial, and whatever needs a destructor is a member of
// State, reached through a pointer. Nothing is allocated between a setjmp and the calls under it.
#pragma once

#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "kernels/jpeg_decode/huffman.h"
#include "kernels/jpeg_decode/reader.h"

// clang-format off: jpeglib.h needs size_t and FILE, jerror.h needs jpeglib.h.
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

namespace refpix {

// `ended`: libjpeg gives nothing any more, the rest of the rows is blank (allow_truncated).
enum class Stage { closed, header, rows, ended };

// Of a call into libjpeg: it did all it was asked for, wants more data, or called error_exit.
enum class Outcome { done, suspended, failed };

struct JpegReader::State {
    jpeg_decompress_struct info;
    jpeg_error_mgr errors;
    jpeg_source_mgr source;
    jpeg_progress_mgr progress;
    std::jmp_buf jump;

    JpegOptions options;
    JpegHeader header;
    const std::uint8_t* data = nullptr;
    std::int64_t size = 0;
    Stage stage = Stage::closed;
    bool created = false;
    bool end_appended = false;
    bool too_many_scans = false;
    bool plain = false;        // Huffman codes are left to libjpeg
    bool taken_over = false;   // Huffman codes are `scan`'s
    bool gave_up = false;      // `scan` met something odd
    bool sought = false;       // rows begin at those of a box
    bool starved = false;      // libjpeg has asked for more than there was
    std::int64_t fed = 0;      // bytes of the file that libjpeg has been given
    std::int64_t to_skip = 0;  // bytes to skip beyond those at hand
    std::int64_t row = 0;      // output rows delivered
    std::int64_t width = 0, height = 0;
    std::int64_t columns = 0;  // width of the rows that come: less than width once cropped
    HuffmanScan scan;
    std::vector<std::uint8_t> tail;   // what was left when the data ran out, and an EOI marker
    std::vector<std::uint8_t> line;   // one CMYK row
    std::vector<std::uint8_t> strip;  // rows of which a box takes some columns

    ~State() { release(); }

    static State& of(j_common_ptr common) noexcept {
        return *static_cast<State*>(common->client_data);
    }
    static State& of(j_decompress_ptr decompress) noexcept {
        return *static_cast<State*>(decompress->client_data);
    }

    bool incomplete() const noexcept;
    bool cmyk() const noexcept { return header.components == 4; }
    std::int64_t position() const noexcept {
        return end_appended ? size : source.next_input_byte - data;
    }

    void release() noexcept {
        if (created) {
            jpeg_destroy_decompress(&info);
            created = false;
        }
        stage = Stage::closed;
    }

    void prepare_callbacks() noexcept;
    bool create() noexcept;
    Outcome read_header() noexcept;
    Outcome start() noexcept;
    Outcome scanlines(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count) noexcept;
    Outcome finish() noexcept;
    Outcome crop(JDIMENSION* left, JDIMENSION* wide) noexcept;
    Outcome skip(JDIMENSION count) noexcept;

    // So many more bytes of the file, as far as there are.
    void feed(std::int64_t count) noexcept {
        const std::int64_t given = count < size - fed ? count : size - fed;
        source.bytes_in_buffer += static_cast<std::size_t>(given);
        fed += given;
        if (to_skip > 0) {
            source.skip_input_data(&info, static_cast<long>(to_skip));
        }
    }

    void take_over() noexcept;
    Status start_again() noexcept;
    Status more() noexcept;
    Status settle(Outcome outcome) noexcept;
    Status open() noexcept;
    Status begin() noexcept;
    Status decode(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count) noexcept;
    Status check_rest() noexcept;
    Status decode_cmyk(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count) noexcept;
    Status read(std::uint8_t* rows, std::int64_t stride_bytes, std::int64_t count,
                std::int64_t* got) noexcept;
    bool seek(const JpegBox& box, std::int64_t* left) noexcept;
    Status read_columns(const JpegBox& box, std::int64_t left, std::uint8_t* pixels) noexcept;
};

}  // namespace refpix
