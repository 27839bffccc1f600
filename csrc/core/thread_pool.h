// One set of worker threads for the whole process, started when first needed.
#pragma once

#include <cstdint>

namespace refpix {

// Calls body(context, item) for every item in [0, count) on up to `threads` threads, the calling
// one included (512 at most), items handed out one by one. Returns when all are done. The body must
// not throw. Several threads may call this at once; after fork() the child starts workers of its
// own.
void parallel_for_raw(std::int64_t count, int threads, void (*body)(void*, std::int64_t),
                      void* context) noexcept;

template <typename Body>
void parallel_for(std::int64_t count, int threads, Body&& body) noexcept {
    parallel_for_raw(
        count, threads,
        [](void* context, std::int64_t item) { (*static_cast<Body*>(context))(item); }, &body);
}

}  // namespace refpix
