#include <cstring>

#include "kernels/jpeg_decode/header.h"

namespace refpix {
namespace {

// One marker segment, without its length field.
struct Segment {
    const std::uint8_t* data;
    std::int64_t size;
    std::int64_t position;  // of data within the payload

    int u16(std::int64_t at) const noexcept { return data[at] << 8 | data[at + 1]; }
    bool starts_with(const char* prefix, std::int64_t length) const noexcept {
        return size >= length && std::memcmp(data, prefix, length) == 0;
    }
    Status fault(Fault fault) const noexcept { return {fault, -1, position}; }
};

// Lossless (SOF3) is decoded by newer libjpeg-turbo only; hierarchical ones by none.
bool is_decoded_process(std::uint8_t marker) noexcept {
    return marker == 0xc0 || marker == 0xc1 || marker == 0xc2 || marker == 0xc9 || marker == 0xca;
}

bool is_frame(std::uint8_t marker) noexcept {
    return (marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 &&
            marker != 0xcc) ||
           marker == 0xde;
}

// Markers that stand alone. To Pillow also those reserved for extensions: what follows them is
// skipped as junk.
bool is_alone(std::uint8_t marker) noexcept {
    return (marker >= 0xd0 && marker <= 0xd9) || (marker >= 0xf0 && marker <= 0xfd) ||
           marker == 0xc8;
}

Status read_frame(const Segment& segment, std::uint8_t marker, JpegHeader* header) noexcept {
    if (segment.size < 6 || (segment.size - 6) % 3 != 0) {
        return segment.fault(Fault::jpeg_bad_header);
    }
    header->process = marker;
    header->height = segment.u16(1);
    header->width = segment.u16(3);
    header->components = segment.data[5];
    const bool usual_components =
        header->components == 1 || header->components == 3 || header->components == 4;
    if (segment.data[0] != 8 || !usual_components || !is_decoded_process(marker)) {
        return segment.fault(Fault::jpeg_unsupported);
    }
    return {};
}

Status check_quantization(const Segment& segment) noexcept {
    std::int64_t at = 0;
    while (at < segment.size) {
        at += segment.data[at] >> 4 == 0 ? 65 : 129;
    }
    return at == segment.size ? Status{} : segment.fault(Fault::jpeg_bad_header);
}

// Pillow parses some metadata when it opens a file and refuses the file when that is cut short.
Status check_metadata(const Segment& segment, std::uint8_t marker) noexcept {
    if ((marker == 0xe0 && segment.starts_with("JFIF", 4)) ||
        (marker == 0xee && segment.starts_with("Adobe", 5))) {
        return segment.size < 7 ? segment.fault(Fault::jpeg_bad_header) : Status{};
    }
    if (marker == 0xe2 && segment.starts_with("ICC_PROFILE\0", 12) && segment.size < 14) {
        return segment.fault(Fault::jpeg_unsupported);
    }
    if (marker == 0xed && segment.starts_with("Photoshop 3.0\0", 14)) {
        // Resource: "8BIM", code (2), padded name, size (4), padded data.
        std::int64_t at = 14;
        while (at + 6 < segment.size && std::memcmp(segment.data + at, "8BIM", 4) == 0) {
            at += 7 + segment.data[at + 6];
            at += at & 1;
            if (at + 4 > segment.size) {
                return {};
            }
            at += 4 + (std::int64_t{segment.u16(at)} << 16 | segment.u16(at + 2));
            at += at & 1;
        }
        if (at + 6 == segment.size && std::memcmp(segment.data + at, "8BIM", 4) == 0) {
            return segment.fault(Fault::jpeg_unsupported);
        }
    }
    return {};
}

}  // namespace

Status jpeg_header(const std::uint8_t* data, std::int64_t size, JpegHeader* header) noexcept {
    *header = {};
    if (size < 3 || data[0] != 0xff || data[1] != 0xd8 || data[2] != 0xff) {
        return {Fault::image_unrecognised, -1, 0};
    }
    const Status ends_early{Fault::jpeg_truncated, -1, size};
    std::int64_t at = 2;
    for (;;) {
        // Junk before a marker, escaped FF and fill bytes are skipped.
        while (at < size && data[at] != 0xff) {
            ++at;
        }
        while (at < size && data[at] == 0xff) {
            ++at;
        }
        if (at >= size) {
            return ends_early;
        }
        const std::uint8_t marker = data[at++];
        if (marker == 0x00 || is_alone(marker)) {
            continue;
        }
        if (marker < 0xc0) {
            return {Fault::jpeg_bad_header, -1, at - 2};
        }
        if (at + 2 > size) {
            return ends_early;
        }
        const std::int64_t length = data[at] << 8 | data[at + 1];
        const Segment segment{data + at + 2, length > 2 ? length - 2 : 0, at + 2};
        at += 2 + segment.size;
        if (at > size) {
            return ends_early;
        }
        Status status;
        if (is_frame(marker)) {
            status = read_frame(segment, marker, header);
        } else if (marker == 0xdb) {
            status = check_quantization(segment);
        } else if (marker >= 0xe0 && marker <= 0xef) {
            status = check_metadata(segment, marker);
        } else if (marker == 0xda) {
            const bool sized = header->width > 0 && header->height > 0;
            return sized ? Status{} : Status{Fault::jpeg_bad_header, -1, segment.position};
        }
        if (!status.ok()) {
            return status;
        }
    }
}

}  // namespace refpix
