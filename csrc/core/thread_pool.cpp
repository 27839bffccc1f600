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

Pool& the_pool() noexcept {
    Pool* current = pool.load(std::memory_order_acquire);
    if (current == nullptr) {
        static const int once = pthread_atfork(nullptr, nullptr, [] { pool.store(nullptr); });
        (void)once;
        Pool* fresh = new Pool;
        if (pool.compare_exchange_strong(current, fresh)) {
            return *fresh;
        }
        delete fresh;
    }
    return *current;
}

}  // namespace

void parallel_for_raw(std::int64_t count, int threads, void (*body)(void*, std::int64_t),
                      void* context) noexcept {
    const int helpers = static_cast<int>(std::min<std::int64_t>(count, threads)) - 1;
    Job job{body, context, count};
    if (helpers <= 0) {
        job.run();
        return;
    }
    Pool& shared = the_pool();
    {
        std::lock_guard lock(shared.mutex);
        shared.grow(helpers);
        try {
            shared.tickets.insert(shared.tickets.end(), helpers, &job);
        } catch (...) {
            // Out of memory for the queue: this thread does all of it.
        }
    }
    shared.wake.notify_all();
    job.run();
    std::unique_lock lock(shared.mutex);
    std::erase(shared.tickets, &job);
    shared.done.wait(lock, [&job] { return job.helpers == 0; });
}

}  // namespace refpix
