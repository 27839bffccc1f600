// Who runs the threads of a CUDA block, and how they wait for one another.
//
// Fibers: a block's threads take turns on the thread that launched it, and change at barriers.
// Fast, always in the same order; a barrier that not all threads reach is found and ends the
// program. Threads, under ThreadSanitizer or with REFPIX_EMULATE_BY_THREADS: a std::thread for
// each, so that a race between the threads of a block is a race that can be seen.
//
// Blocks of a grid go one after the other, and one launch at a time.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#if defined(__SANITIZE_THREAD__) && !defined(REFPIX_EMULATE_BY_THREADS)
#define REFPIX_EMULATE_BY_THREADS 1
#endif

#if defined(REFPIX_EMULATE_BY_THREADS)
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <thread>
#else
#include <ucontext.h>
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(REFPIX_EMULATE_BY_THREADS)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};

inline thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

// What __shared__ variables lie in, so that each block finds rubbish there, as on a device.
extern "C" {
__attribute__((weak, visibility("hidden"))) extern char __start_refpix_shared[];
__attribute__((weak, visibility("hidden"))) extern char __stop_refpix_shared[];
}

namespace emulation {

inline constexpr unsigned warp_size = 32;

inline void spoil_shared_memory() {
    if (__start_refpix_shared != nullptr) {
        std::memset(__start_refpix_shared, 0xa5,
                    static_cast<std::size_t>(__stop_refpix_shared - __start_refpix_shared));
    }
}

// Where a thread waits until something holds; `lock` is held when it is asked and when it is done.
class Team;
inline thread_local Team* team = nullptr;

[[noreturn]] inline void fail(const char* what) {
    std::fprintf(stderr, "CUDA emulation: %s (block %u)\n", what, blockIdx.x);
    std::abort();
}

struct Warp {
    std::uint32_t arrived = 0;
    unsigned long generation[warp_size] = {};
    std::uint64_t brought[warp_size] = {};
    std::uint64_t results[warp_size][warp_size] = {};  // what all brought, for each lane
};

#if defined(REFPIX_EMULATE_BY_THREADS)

class Team {
  public:
    Team(unsigned threads)
        : threads_(threads), warps_((threads + warp_size - 1) / warp_size), barrier_(threads) {}

    // `kernel` for each thread of each block.
    void run(unsigned blocks, const std::function<void()>& kernel) {
        std::vector<std::thread> all;
        for (unsigned thread = 0; thread < threads_; ++thread) {
            all.emplace_back([&, thread] {
                team = this;
                threadIdx = {thread, 0, 0};
                blockDim = {threads_, 1, 1};
                gridDim = {blocks, 1, 1};
                for (unsigned number = 0; number < blocks; ++number) {
                    blockIdx = {number, 0, 0};
                    if (thread == 0) {
                        spoil_shared_memory();
                    }
                    meet(0);
                    kernel();
                    meet(0);
                }
            });
        }
        for (std::thread& one : all) {
            one.join();
        }
    }

    // All threads come; the sum of what they bring. Three sums take turns: one is added to, one may
    // still be read, and one is nobody's and made zero.
    long meet(long brings) {
        thread_local unsigned long meeting = 0;
        std::atomic<long>& sum = sums_[meeting % 3];
        sum += brings;
        barrier_.arrive_and_wait();
        sums_[(meeting + 2) % 3] = 0;
        ++meeting;
        return sum;
    }

    void exchange(std::uint32_t lanes, std::uint64_t brings, std::uint64_t* all) {
        std::unique_lock lock(mutex_);
        swap(lanes, brings, all, [&](auto done) { changed_.wait(lock, done); });
    }

  private:
    void progress() { changed_.notify_all(); }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<long> sums_[3] = {0, 0, 0};
#else

class Team {
  public:
    Team(unsigned threads) : threads_(threads), warps_((threads + warp_size - 1) / warp_size) {
        while (fibers_.size() < threads) {
            fibers_.push_back(std::make_unique<Fiber>());
        }
    }

    void run(unsigned blocks, const std::function<void()>& kernel) {
        Team* const before = team;
        team = this;
        kernel_ = &kernel;
        blockDim = {threads_, 1, 1};
        gridDim = {blocks, 1, 1};
        for (unsigned number = 0; number < blocks; ++number) {
            blockIdx = {number, 0, 0};
            spoil_shared_memory();
            run_block();
        }
        team = before;
    }

    long meet(long brings) {
        const unsigned long generation = barrier_.generation;
        long& sum = barrier_.sums[generation % 2];
        sum = barrier_.arrived == 0 ? brings : sum + brings;
        if (++barrier_.arrived == threads_) {
            barrier_.arrived = 0;
            ++barrier_.generation;
            progress();
        } else {
            wait([&] { return barrier_.generation != generation; });
        }
        return sum;
    }

    void exchange(std::uint32_t lanes, std::uint64_t brings, std::uint64_t* all) {
        swap(lanes, brings, all, [&](auto done) { wait(done); });
    }

  private:
    static constexpr std::size_t stack_bytes = 256 << 10;
    struct Fiber {
        ucontext_t context;
        std::unique_ptr<char[]> stack{new char[stack_bytes]};  // untouched pages cost nothing
        bool done = false;
    };

    struct Barrier {
        unsigned arrived = 0;
        unsigned long generation = 0;
        long sums[2] = {0, 0};  // of what threads bring, by parity of the generation
    };

    void run_block() {
        for (unsigned thread = 0; thread < threads_; ++thread) {
            Fiber* const fiber = fibers_[thread].get();
            forget_frames(*fiber);
            getcontext(&fiber->context);
            fiber->context.uc_stack.ss_sp = fiber->stack.get();
            fiber->context.uc_stack.ss_size = stack_bytes;
            fiber->context.uc_link = nullptr;
            makecontext(&fiber->context, reinterpret_cast<void (*)()>(&Team::enter), 0);
            fiber->done = false;
        }
        unsigned left = threads_;
        while (left > 0) {
            progressed_ = false;
            for (unsigned thread = 0; thread < threads_; ++thread) {
                Fiber& fiber = *fibers_[thread];
                if (fiber.done) {
                    continue;
                }
                threadIdx = {thread, 0, 0};
                current_ = &fiber;
                resume(fiber);
                if (fiber.done) {
                    progressed_ = true;
                    --left;
                }
            }
            if (left > 0 && !progressed_) {
                fail("threads wait for others that never come");
            }
        }
    }

    static void enter() {
        Team& self = *team;
        self.arrived_in_fiber();
        (*self.kernel_)();
        self.current_->done = true;
        self.leave(true);
    }

    template <typename Done>
    void wait(Done done) {
        while (!done()) {
            leave(false);
        }
    }

    void progress() { progressed_ = true; }

#if defined(__SANITIZE_ADDRESS__)
    void resume(Fiber& fiber) {
        void* fake = nullptr;
        __sanitizer_start_switch_fiber(&fake, fiber.stack.get(), stack_bytes);
        swapcontext(&home_, &fiber.context);
        __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
    }
    void arrived_in_fiber() {
        __sanitizer_finish_switch_fiber(nullptr, &home_stack_, &home_stack_bytes_);
    }
    void leave(bool for_good) {
        void* fake = nullptr;
        __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, home_stack_, home_stack_bytes_);
        swapcontext(&current_->context, &home_);
        __sanitizer_finish_switch_fiber(fake, &home_stack_, &home_stack_bytes_);
    }
    // enter() and leave() never returned, so that what ASan guards around their variables stands.
    static void forget_frames(Fiber& fiber) {
        ASAN_UNPOISON_MEMORY_REGION(fiber.stack.get() + stack_bytes - 4096, 4096);
    }
    const void* home_stack_ = nullptr;
    std::size_t home_stack_bytes_ = 0;
#else
    static void forget_frames(Fiber&) {}
    void resume(Fiber& fiber) { swapcontext(&home_, &fiber.context); }
    void arrived_in_fiber() {}
    void leave(bool) { swapcontext(&current_->context, &home_); }
#endif

    // Kept from launch to launch: fetching stacks from the system costs more than most kernels.
    inline static std::vector<std::unique_ptr<Fiber>> fibers_;
    ucontext_t home_;
    Fiber* current_ = nullptr;
    const std::function<void()>* kernel_ = nullptr;
    bool progressed_ = false;
#endif

    template <typename Wait>
    void swap(std::uint32_t lanes, std::uint64_t brings, std::uint64_t* all, Wait wait) {
        Warp& warp = warps_[threadIdx.x / warp_size];
        const unsigned lane = threadIdx.x % warp_size;
        if ((lanes >> lane & 1) == 0) {
            fail("a lane calls a warp's function with a mask that it is not in");
        }
        const unsigned long generation = warp.generation[lane];
        warp.brought[lane] = brings;
        warp.arrived |= std::uint32_t{1} << lane;
        if ((warp.arrived & lanes) == lanes) {
            warp.arrived &= ~lanes;
            for (unsigned other = 0; other < warp_size; ++other) {
                if (lanes >> other & 1) {
                    std::memcpy(warp.results[other], warp.brought, sizeof warp.brought);
                    ++warp.generation[other];
                }
            }
            progress();
        } else {
            wait([&] { return warp.generation[lane] != generation; });
        }
        std::memcpy(all, warp.results[lane], sizeof warp.brought);
    }

    unsigned threads_;
    std::vector<Warp> warps_;
#if defined(REFPIX_EMULATE_BY_THREADS)
    std::barrier<> barrier_;
#else
    Barrier barrier_;
#endif
};

inline std::mutex one_launch;

inline void run(unsigned blocks, unsigned threads, const std::function<void()>& kernel) {
    const std::lock_guard lock(one_launch);
    Team(threads).run(blocks, kernel);
}

}  // namespace emulation
