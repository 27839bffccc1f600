// The thread pool by itself, run under TSan by tools/sanitize.sh; from Python it is tested by
// tests/kernels/test_threads.py. Exits 0, or says what went wrong.
#include "core/thread_pool.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace {

void expect(bool condition, const char* what) {
    if (!condition) {
        std::fprintf(stderr, "thread_pool_test: %s\n", what);
        std::_Exit(1);
    }
}

// Plain ints: each item is its owner's alone, and the caller may read them all afterwards. TSan
// would see it if either did not hold.
void every_item_exactly_once(std::int64_t count, int threads) {
    std::vector<int> calls(static_cast<std::size_t>(count), 0);
    refpix::parallel_for(count, threads,
                         [&](std::int64_t item) { ++calls[static_cast<std::size_t>(item)]; });
    for (const int n : calls) {
        expect(n == 1, "an item was not called exactly once");
    }
}

void several_callers_at_once() {
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([] {
            for (int round = 0; round < 200; ++round) {
                every_item_exactly_once(round % 23, 1 + round % 5);
            }
        });
    }
    for (auto& caller : callers) {
        caller.join();
    }
}

void nested() {
    std::atomic<int> calls{0};
    refpix::parallel_for(
        8, 4, [&](std::int64_t) { refpix::parallel_for(16, 4, [&](std::int64_t) { ++calls; }); });
    expect(calls == 8 * 16, "nested calls lost items");
}

void works_in_a_forked_child() {
    const pid_t child = fork();
    expect(child >= 0, "fork failed");
    if (child == 0) {
        alarm(30);  // a child that waits for its parent's workers would wait for ever
        every_item_exactly_once(100, 4);
        std::_Exit(0);
    }
    int status = 0;
    expect(waitpid(child, &status, 0) == child, "waitpid failed");
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the pool does not work after fork()");
}

}  // namespace

int main(int argc, char** argv) {
    for (const std::int64_t count : {0, 1, 2, 7, 1000}) {
        for (const int threads : {0, 1, 2, 5}) {
            every_item_exactly_once(count, threads);
        }
    }
    several_callers_at_once();
    nested();
    if (argc < 2 || std::string_view(argv[1]) != "--no-fork") {  // TSan cannot follow it
        works_in_a_forked_child();
    }
    return 0;
}
