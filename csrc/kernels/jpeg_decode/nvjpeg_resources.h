// What flights and lanes are made of: handles, device memory and events that give themselves back.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "kernels/jpeg_decode/nvjpeg_api.h"

namespace refpix::nvjpeg {

// One of the library's handles. `create` is given where to put it.
template <typename T>
class Owned {
  public:
    Owned() = default;
    Owned(Owned&& other) noexcept
        : value_(std::exchange(other.value_, nullptr)), destroy_(other.destroy_) {}
    Owned& operator=(Owned&&) = delete;
    ~Owned() { reset(); }
    void reset() noexcept {
        if (value_ != nullptr) {
            destroy_(std::exchange(value_, nullptr));
        }
    }

    template <typename Create>
    Status make(Status (*destroy)(T), Create&& create) {
        destroy_ = destroy;
        T made = nullptr;
        const Status status = create(&made);
        value_ = status == Status::success ? made : nullptr;
        return status;
    }
    T get() const noexcept { return value_; }

  private:
    T value_ = nullptr;
    Status (*destroy_)(T) = nullptr;
};

// Grows, and never shrinks. Whoever asks for more knows that nothing uses it any more.
class DeviceMemory {
  public:
    DeviceMemory() = default;
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    ~DeviceMemory() { cudaFree(data_); }

    cudaError_t reserve(std::int64_t bytes) noexcept {
        if (bytes <= bytes_) {
            return cudaSuccess;
        }
        // Freeing waits for the whole device: so seldom, with room to spare.
        constexpr std::int64_t step = std::int64_t{8} << 20;
        const std::int64_t wanted = (bytes + bytes / 8 + step - 1) / step * step;
        cudaFree(data_);
        data_ = nullptr;
        bytes_ = 0;
        void* made = nullptr;
        const cudaError_t error = cudaMalloc(&made, static_cast<std::size_t>(wanted));
        if (error == cudaSuccess) {
            data_ = static_cast<std::uint8_t*>(made);
            bytes_ = wanted;
        } else {
            cudaGetLastError();  // forget it: the next call is not at fault
        }
        return error;
    }
    std::uint8_t* data() const noexcept { return data_; }
    std::int64_t bytes() const noexcept { return bytes_; }

  private:
    std::uint8_t* data_ = nullptr;
    std::int64_t bytes_ = 0;
};

// The last use of a flight or lane.
class LastUse {
  public:
    LastUse() = default;
    LastUse(const LastUse&) = delete;
    LastUse& operator=(const LastUse&) = delete;
    ~LastUse() {
        if (event_ != nullptr) {
            cudaEventDestroy(event_);
        }
    }
    cudaError_t record(cudaStream_t stream) noexcept {
        if (event_ == nullptr) {
            const cudaError_t error = cudaEventCreateWithFlags(&event_, cudaEventDisableTiming);
            if (error != cudaSuccess) {
                return error;
            }
        }
        used_ = true;
        return cudaEventRecord(event_, stream);
    }
    bool over() const noexcept {
        if (!used_ || cudaEventQuery(event_) != cudaErrorNotReady) {
            return true;
        }
        cudaGetLastError();  // CUDA notes it as an error; the next launch would be blamed for it
        return false;
    }
    cudaError_t wait() noexcept { return used_ ? cudaEventSynchronize(event_) : cudaSuccess; }

  private:
    cudaEvent_t event_ = nullptr;
    bool used_ = false;
};

// Things that are taken, used by one thread, and put back while the device may still be at work on
// them. The one that was put back first is taken first; while it is busy a new one is made, up to
// `most` of them, and beyond if all are taken. T has busy().
template <typename T>
class Pool {
  public:
    // While it lives, one is taken. Empty when there was none to take: put a new one in, or leave
    // it empty.
    class Lease {
      public:
        Lease(Pool& pool, std::int64_t most) : pool_(pool), one_(pool.take(most)) {}
        ~Lease() { pool_.give(std::move(one_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;

        bool empty() const noexcept { return one_ == nullptr; }
        void put(std::unique_ptr<T> made) noexcept { one_ = std::move(made); }
        void drop() noexcept { one_.reset(); }
        T& operator*() const noexcept { return *one_; }
        T* operator->() const noexcept { return one_.get(); }

      private:
        Pool& pool_;
        std::unique_ptr<T> one_;
    };

    template <typename Visit>
    void visit(Visit&& visit) const {
        const std::lock_guard lock(mutex_);
        for (const std::unique_ptr<T>& one : free_) {
            visit(*one);
        }
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        free_.clear();
    }

  private:
    std::unique_ptr<T> take(std::int64_t most) {
        const std::lock_guard lock(mutex_);
        ++taken_;
        const bool room = taken_ + static_cast<std::int64_t>(free_.size()) <= most;
        if (free_.empty() || (room && free_.front()->busy())) {
            return nullptr;
        }
        std::unique_ptr<T> oldest = std::move(free_.front());
        free_.pop_front();
        return oldest;
    }
    void give(std::unique_ptr<T> used) noexcept {
        const std::lock_guard lock(mutex_);
        --taken_;
        if (used != nullptr) {
            try {
                free_.push_back(std::move(used));
            } catch (const std::bad_alloc&) {
                used.reset();  // then the next one makes its own
            }
        }
    }

    mutable std::mutex mutex_;
    std::deque<std::unique_ptr<T>> free_;
    std::int64_t taken_ = 0;
};

}  // namespace refpix::nvjpeg
