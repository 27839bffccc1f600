// Our declarations of nvJPEG's interface against the library's own header: names by compiling at
// all, numbers and the kinds of parameters by assertions. Compiled only, by test_nvjpeg.py.
#include <nvjpeg.h>

#include <cstddef>
#include <type_traits>

#include "kernels/jpeg_decode/nvjpeg_api.h"

namespace ours = refpix::nvjpeg;

namespace {

// A parameter is passed alike: as an address, or as an integer of the same size.
template <typename A, typename B>
constexpr bool alike = std::is_pointer_v<A> ? std::is_pointer_v<B>
                                            : !std::is_pointer_v<B> && sizeof(A) == sizeof(B) &&
                                                  (std::is_enum_v<A> || std::is_integral_v<A>) &&
                                                  (std::is_enum_v<B> || std::is_integral_v<B>);

// What is pointed to is of the same size where both are complete and neither is void.
template <typename A, typename B, typename = void>
struct SamePointee : std::true_type {};
template <typename A, typename B>
struct SamePointee<A*, B*, std::void_t<decltype(sizeof(A)), decltype(sizeof(B))>>
    : std::bool_constant<std::is_void_v<A> || std::is_void_v<B> || sizeof(A) == sizeof(B)> {};
template <typename A>
struct SamePointee<A*, void*, void> : std::true_type {};
template <typename B>
struct SamePointee<void*, B*, void> : std::true_type {};

template <typename A, typename B>
struct SameCall : std::false_type {};
template <typename R, typename... A, typename S, typename... B>
    requires(sizeof...(A) == sizeof...(B))
struct SameCall<R (*)(A...), S (*)(B...)>
    : std::bool_constant<alike<R, S> && (... && (alike<A, B> && SamePointee<A, B>::value))> {};

#define CHECK(name, parameters) \
    static_assert(SameCall<decltype(ours::Api::name), decltype(&nvjpeg##name)>::value, #name);
REFPIX_NVJPEG_REQUIRED(CHECK)
REFPIX_NVJPEG_OPTIONAL(CHECK)
#undef CHECK

#define SAME(mine, theirs) static_assert(static_cast<int>(mine) == static_cast<int>(theirs));
SAME(ours::Status::success, NVJPEG_STATUS_SUCCESS)
SAME(ours::Status::not_initialized, NVJPEG_STATUS_NOT_INITIALIZED)
SAME(ours::Status::invalid_parameter, NVJPEG_STATUS_INVALID_PARAMETER)
SAME(ours::Status::bad_jpeg, NVJPEG_STATUS_BAD_JPEG)
SAME(ours::Status::jpeg_not_supported, NVJPEG_STATUS_JPEG_NOT_SUPPORTED)
SAME(ours::Status::allocator_failure, NVJPEG_STATUS_ALLOCATOR_FAILURE)
SAME(ours::Status::execution_failed, NVJPEG_STATUS_EXECUTION_FAILED)
SAME(ours::Status::arch_mismatch, NVJPEG_STATUS_ARCH_MISMATCH)
SAME(ours::Status::internal_error, NVJPEG_STATUS_INTERNAL_ERROR)
SAME(ours::Status::implementation_not_supported, NVJPEG_STATUS_IMPLEMENTATION_NOT_SUPPORTED)
SAME(ours::Status::incomplete_bitstream, NVJPEG_STATUS_INCOMPLETE_BITSTREAM)
SAME(ours::Backend::standard, NVJPEG_BACKEND_DEFAULT)
SAME(ours::Backend::hybrid, NVJPEG_BACKEND_HYBRID)
SAME(ours::Backend::gpu_hybrid, NVJPEG_BACKEND_GPU_HYBRID)
SAME(ours::Backend::hardware, NVJPEG_BACKEND_HARDWARE)
SAME(ours::Encoding::baseline, NVJPEG_ENCODING_BASELINE_DCT)
SAME(ours::Sampling::s444, NVJPEG_CSS_444)
SAME(ours::OutputFormat::rgb_interleaved, NVJPEG_OUTPUT_RGBI)
SAME(ours::Orientation::normal, NVJPEG_ORIENTATION_NORMAL)
SAME(ours::Property::major, MAJOR_VERSION)
SAME(ours::Property::minor, MINOR_VERSION)
SAME(ours::Property::patch, PATCH_LEVEL)
SAME(ours::upsampling_with_interpolation, (NVJPEG_FLAGS_UPSAMPLING_WITH_INTERPOLATION))
#undef SAME

static_assert(sizeof(ours::Image) == sizeof(nvjpegImage_t));
static_assert(offsetof(ours::Image, channel) == offsetof(nvjpegImage_t, channel));
static_assert(offsetof(ours::Image, pitch) == offsetof(nvjpegImage_t, pitch));
static_assert(sizeof(ours::Image::channel) == sizeof(nvjpegImage_t::channel));

}  // namespace
