// Memory that a thread keeps from item to item.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace refpix {

// For thread_local use: room grows as needed, and release_large() after an item gives back what
// only a giant needed. T is a plain number.
template <typename T>
class Scratch {
  public:
    Scratch() = default;
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { std::free(data_); }

    T* data() noexcept { return data_; }
    const T* data() const noexcept { return data_; }
    std::int64_t room() const noexcept { return room_; }

    // Room for `count` values; those there are kept. False when memory is short.
    bool reserve(std::int64_t count) noexcept {
        if (count <= room_) {
            return true;
        }
        const std::int64_t wanted = count > 2 * room_ ? count : 2 * room_;
        void* moved = std::realloc(data_, static_cast<std::size_t>(wanted) * sizeof(T));
        if (moved == nullptr) {
            return false;
        }
        data_ = static_cast<T*>(moved);
        room_ = wanted;
        return true;
    }

    void release_large() noexcept {
        if (room_ > kept_bytes / static_cast<std::int64_t>(sizeof(T))) {
            std::free(data_);
            data_ = nullptr;
            room_ = 0;
        }
    }

  private:
    static constexpr std::int64_t kept_bytes = std::int64_t{16} << 20;

    T* data_ = nullptr;
    std::int64_t room_ = 0;
};

}  // namespace refpix
