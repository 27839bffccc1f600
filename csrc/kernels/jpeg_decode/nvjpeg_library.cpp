#include "kernels/jpeg_decode/nvjpeg_library.h"

#include <dlfcn.h>

namespace refpix::nvjpeg {
namespace {

template <typename Function>
bool resolve(void* library, const char* name, Function** function) noexcept {
    *function = reinterpret_cast<Function*>(dlsym(library, name));
    return *function != nullptr;
}

// The first function that is missing, or null.
const char* resolve_all(void* library, Api* api) noexcept {
#define REFPIX_NVJPEG_RESOLVE(name, parameters)          \
    if (!resolve(library, "nvjpeg" #name, &api->name)) { \
        return "nvjpeg" #name;                           \
    }
    REFPIX_NVJPEG_REQUIRED(REFPIX_NVJPEG_RESOLVE)
#undef REFPIX_NVJPEG_RESOLVE
#define REFPIX_NVJPEG_RESOLVE(name, parameters) resolve(library, "nvjpeg" #name, &api->name);
    REFPIX_NVJPEG_OPTIONAL(REFPIX_NVJPEG_RESOLVE)
#undef REFPIX_NVJPEG_RESOLVE
    return nullptr;
}

}  // namespace

std::shared_ptr<const Library> open_library(const std::string& path, std::string* error) {
    void* opened = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened == nullptr) {
        const char* reason = dlerror();
        *error = reason != nullptr ? reason : path + ": cannot be opened";
        return nullptr;
    }
    auto library = std::make_shared<Library>();
    library->path = path;
    if (const char* missing = resolve_all(opened, &library->api)) {
        *error = path + ": has no " + missing;
        dlclose(opened);
        return nullptr;
    }
    const Property parts[3] = {Property::major, Property::minor, Property::patch};
    for (int i = 0; i < 3; ++i) {
        if (library->api.GetProperty(parts[i], &library->version[i]) != Status::success) {
            *error = path + ": does not tell its version";
            return nullptr;
        }
    }
    return library;
}

const char* status_text(Status status) noexcept {
    switch (status) {
        case Status::success:
            return "success";
        case Status::not_initialized:
            return "not initialised";
        case Status::invalid_parameter:
            return "invalid parameter";
        case Status::bad_jpeg:
            return "the JPEG is damaged";
        case Status::jpeg_not_supported:
            return "the JPEG is of a kind that is not supported";
        case Status::allocator_failure:
            return "out of memory";
        case Status::execution_failed:
            return "CUDA failed; no driver, or one too old for this library?";
        case Status::arch_mismatch:
            return "the GPU is of a kind that is not supported";
        case Status::internal_error:
            return "internal error";
        case Status::implementation_not_supported:
            return "not implemented";
        case Status::incomplete_bitstream:
            return "the JPEG ends early";
    }
    return "unknown status";
}

}  // namespace refpix::nvjpeg
