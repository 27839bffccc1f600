#include "core/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace refpix {
namespace {

// Workers are never given back, so that a slip of the pen must not start a hundred thousand.
constexpr std::int64_t max_threads = 512;

struct Job {
    void (*body)(void*, std::int64_t);
    void* context;
    std::int64_t count;
    std::atomic<std::int64_t> next{0};
    int helpers = 0;  // workers inside run(), guarded by Pool::mutex

    void run() noexcept {
        for (;;) {
            const std::int64_t item = next.fetch_add(1, std::memory_order_relaxed);
            if (item >= count) {
                return;
            }
            body(context, item);
        }
    }
};

struct Pool {
    std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable done;
    std::deque<Job*> tickets;  // one per worker a job still wants
    int workers = 0;

    // Fewer workers than asked for is no error: the caller does the rest.
    void grow(int wanted) noexcept {
        while (workers < wanted) {
            try {
                std::thread([this] { work(); }).detach();
            } catch (...) {
                return;
            }
            ++workers;
        }
    }

    void work() noexcept {
        std::unique_lock lock(mutex);
        for (;;) {
            wake.wait(lock, [this] { return !tickets.empty(); });
            Job* job = tickets.front();
            tickets.pop_front();
            ++job->helpers;
            lock.unlock();
            job->run();
            lock.lock();
            if (--job->helpers == 0) {
                done.notify_all();
            }
        }
    }
};

// Never destroyed: detached workers may outlive main(). A fork leaves the child with no workers
// and perhaps a locked mutex, so the child gets a new pool and forgets the old one.
std::atomic<Pool*> pool{nullptr};

// Registered when the library is loaded: done at first use, a fork at that very moment would leave
// the child waiting for a thread that is not there to finish it.
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });

// Null when there is no memory for one.
Pool* the_pool() noexcept {
    Pool* current = pool.load(std::memory_order_acquire);
    if (current != nullptr) {
        return current;
    }
    Pool* fresh = nullptr;
    try {
        fresh = new Pool;
    } catch (...) {
        return nullptr;
    }
    if (pool.compare_exchange_strong(current, fresh)) {
        return fresh;
    }
    delete fresh;
    return current;
}

}  // namespace

void parallel_for_raw(std::int64_t count, int threads, void (*body)(void*, std::int64_t),
                      void* context) noexcept {
    const std::int64_t wanted = std::min({count, std::int64_t{threads}, max_threads});
    const int helpers = static_cast<int>(wanted) - 1;
    Job job{body, context, count};
    Pool* const shared = helpers > 0 ? the_pool() : nullptr;
    if (shared == nullptr) {
        job.run();
        return;
    }
    {
        std::lock_guard lock(shared->mutex);
        shared->grow(helpers);
        try {
            shared->tickets.insert(shared->tickets.end(), static_cast<std::size_t>(helpers), &job);
        } catch (...) {
            // Out of memory for the queue: this thread does all of it.
        }
    }
    for (int i = 0; i < helpers; ++i) {
        shared->wake.notify_one();
    }
    job.run();
    std::unique_lock lock(shared->mutex);
    std::erase(shared->tickets, &job);
    shared->done.wait(lock, [&job] { return job.helpers == 0; });
}

}  // namespace refpix
