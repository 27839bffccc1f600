#include "core/status.h"

namespace refpix {

const char* fault_name(Fault fault) noexcept {
#define REFPIX_NAME(name) \
    case Fault::name:     \
        return #name;
    switch (fault) {
        REFPIX_NAME(none)
        REFPIX_NAME(out_of_memory)
        REFPIX_NAME(size_overflow)
        REFPIX_NAME(span_out_of_bounds)
        REFPIX_NAME(output_too_small)
        REFPIX_NAME(bad_size)
        REFPIX_NAME(output_wrong_size)
        REFPIX_NAME(base64_not_ascii)
        REFPIX_NAME(base64_bad_character)
        REFPIX_NAME(base64_bad_length)
        REFPIX_NAME(base64_bad_padding)
        REFPIX_NAME(image_unrecognised)
        REFPIX_NAME(image_pixel_limit)
        REFPIX_NAME(jpeg_bad_header)
        REFPIX_NAME(jpeg_truncated)
        REFPIX_NAME(jpeg_corrupt)
        REFPIX_NAME(jpeg_unsupported)
        REFPIX_NAME(jpeg_scan_limit)
        REFPIX_NAME(image_bad_roi)
        REFPIX_NAME(codes_bad_character)
        REFPIX_NAME(codes_out_of_range)
        REFPIX_NAME(codes_wrong_count)
        REFPIX_NAME(tsv_too_few_columns)
        REFPIX_NAME(tsv_row_too_long)
        REFPIX_NAME(tsv_lone_cr)
        REFPIX_NAME(box_not_finite)
        REFPIX_NAME(label_negative)
        REFPIX_NAME(label_too_large)
        REFPIX_NAME(rle_bad_character)
        REFPIX_NAME(rle_truncated)
        REFPIX_NAME(rle_negative_run)
        REFPIX_NAME(rle_run_overflow)
        REFPIX_NAME(rle_too_short)
        REFPIX_NAME(rle_too_long)
        REFPIX_NAME(rle_size_mismatch)
        REFPIX_NAME(rle_bad_size)
        REFPIX_NAME(rle_bad_box)
        REFPIX_NAME(rle_bad_offsets)
        REFPIX_NAME(rle_area_overflow)
        REFPIX_NAME(polygon_not_finite)
        REFPIX_NAME(polygon_too_large)
        REFPIX_NAME(polygon_empty)
        REFPIX_NAME(pred_not_finite)
        REFPIX_NAME(pred_out_of_range)
        REFPIX_NAME(gt_not_finite)
        REFPIX_NAME(gt_out_of_range)
        REFPIX_NAME(trimap_out_of_range)
        REFPIX_NAME(alpha_not_finite)
        REFPIX_NAME(alpha_out_of_range)
        REFPIX_NAME(alpha_bad_box)
        REFPIX_NAME(attribute_not_finite)
        REFPIX_NAME(selection_too_few)
        REFPIX_NAME(augment_not_finite)
        REFPIX_NAME(augment_out_of_range)
    }
#undef REFPIX_NAME
    return "unknown";
}

}  // namespace refpix
