// Opens the libraries it is given and asks each for a decoder: "<version> <status in words>", or
// why it does not open.
#include <cstdio>

#include "kernels/jpeg_decode/nvjpeg_library.h"

using namespace refpix::nvjpeg;

int main(int count, char** paths) {
    for (int i = 1; i < count; ++i) {
        std::string error;
        const auto library = open_library(paths[i], &error);
        if (library == nullptr) {
            std::printf("%s\n", error.c_str());
            continue;
        }
        Handle handle = nullptr;
        const Status status = library->api.CreateEx(Backend::standard, nullptr, nullptr,
                                                    upsampling_with_interpolation, &handle);
        std::printf("%d.%d %s\n", library->version[0], library->version[1], status_text(status));
        if (status == Status::success) {
            library->api.Destroy(handle);
        }
    }
}
