// Bugs on purpose, part of nothing that is shipped: tools/sanitize.sh calls them to see that the
// sanitizers are awake before it believes their silence.
#include <climits>
#include <cstdlib>

extern "C" {

__attribute__((visibility("default"))) int heap_overflow(int past) {
    char* block = static_cast<char*>(std::malloc(16));
    block[15 + past] = 1;
    const int value = block[15 + past];
    std::free(block);
    return value;
}

__attribute__((visibility("default"))) int signed_overflow(int add) {
    return INT_MAX - 1 + add;
}

__attribute__((visibility("default"))) void leak(int bytes) {
    void* volatile lost = std::malloc(static_cast<std::size_t>(bytes));
    lost = nullptr;
    (void)lost;
}
}
