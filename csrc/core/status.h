// What a kernel says about its input: which item is at fault, where, and why.
#pragma once

#include <cstdint>

namespace refpix {

// The numbers are an interface: they appear in status arrays handed to Python. Append only.
enum class Fault : std::int32_t {
    none = 0,
    out_of_memory = 1,
    size_overflow = 2,
    span_out_of_bounds = 3,
    output_too_small = 4,
    bad_size = 5,
    output_wrong_size = 6,

    base64_not_ascii = 10,
    base64_bad_character = 11,
    base64_bad_length = 12,
    base64_bad_padding = 13,

    image_unrecognised = 20,
    image_pixel_limit = 21,
    jpeg_bad_header = 22,
    jpeg_truncated = 23,
    jpeg_corrupt = 24,
    jpeg_unsupported = 25,
    jpeg_scan_limit = 26,
    image_bad_roi = 27,

    codes_bad_character = 30,
    codes_out_of_range = 31,
    codes_wrong_count = 32,

    tsv_too_few_columns = 40,
    tsv_row_too_long = 41,
    tsv_lone_cr = 42,

    box_not_finite = 50,
    label_negative = 51,
    label_too_large = 52,

    rle_bad_character = 60,
    rle_truncated = 61,
    rle_negative_run = 62,
    rle_run_overflow = 63,
    rle_too_short = 64,
    rle_too_long = 65,
    rle_size_mismatch = 66,
    rle_bad_size = 67,
    rle_bad_box = 68,
    rle_bad_offsets = 69,
    rle_area_overflow = 73,

    polygon_not_finite = 70,
    polygon_too_large = 71,
    polygon_empty = 72,

    pred_not_finite = 80,
    pred_out_of_range = 81,
    gt_not_finite = 82,
    gt_out_of_range = 83,
    trimap_out_of_range = 84,
    alpha_not_finite = 85,
    alpha_out_of_range = 90,
    alpha_bad_box = 91,

    attribute_not_finite = 110,
    selection_too_few = 111,

    augment_not_finite = 120,
    augment_out_of_range = 121,
};

struct Status {
    Fault fault = Fault::none;
    std::int64_t item = -1;      // index within the batch, -1 when the fault is not an item's
    std::int64_t position = -1;  // byte within the item, -1 when unknown

    bool ok() const noexcept { return fault == Fault::none; }
};

// Snake-case name, the one refpix.errors knows it by; "unknown" for a number not listed above.
const char* fault_name(Fault fault) noexcept;

}  // namespace refpix
