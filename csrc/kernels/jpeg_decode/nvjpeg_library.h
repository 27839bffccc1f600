// nvJPEG's shared library, opened at run time.
#pragma once

#include <memory>
#include <string>

#include "kernels/jpeg_decode/nvjpeg_api.h"

namespace refpix::nvjpeg {

// Never closed again: the library may have threads and exit handlers of its own.
struct Library {
    std::string path;  // as it was asked for
    int version[3] = {0, 0, 0};
    Api api;

    bool at_least(int major, int minor) const noexcept {
        return version[0] > major || (version[0] == major && version[1] >= minor);
    }
};

// Null, and why in `error`: not found, or functions missing, with the first one's name. `path` is
// a file, or a name for the system's search.
std::shared_ptr<const Library> open_library(const std::string& path, std::string* error);

// In words, e.g. "the JPEG is damaged"; for messages.
const char* status_text(Status status) noexcept;

}  // namespace refpix::nvjpeg
