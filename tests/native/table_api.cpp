// The shared table of image_normalize, for Python to compare with NumPy and torch.
#include "kernels/image_normalize/table.h"

using namespace refpix::normalize;

extern "C" {

void fill_float32(const float* mean, const float* std, float* out) {
    fill_table<Float32>(mean, std, out);
}
void fill_float16(const float* mean, const float* std, std::uint16_t* out) {
    fill_table<Float16>(mean, std, out);
}
void fill_bfloat16(const float* mean, const float* std, std::uint16_t* out) {
    fill_table<BFloat16>(mean, std, out);
}
void convert_float16(const float* values, std::int64_t count, std::uint16_t* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = float16_bits(values[i]);
    }
}
void convert_bfloat16(const float* values, std::int64_t count, std::uint16_t* out) {
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = bfloat16_bits(values[i]);
    }
}
}
