// Results whose lengths are known only once they are there: one array per item, made on any
// thread, then laid end to end.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace refpix {

template <typename T>
class Ragged {
  public:
    Ragged() = default;
    Ragged(const Ragged&) = delete;
    Ragged& operator=(const Ragged&) = delete;
    ~Ragged() { release(); }

    // Room for `count` items, all empty. False when memory is short.
    bool resize(std::int64_t count) noexcept {
        release();
        items_ = new (std::nothrow) Item[static_cast<std::size_t>(count)];
        count_ = items_ != nullptr ? count : 0;
        return items_ != nullptr;
    }

    // Keeps a copy of values[0..length). Different items may be set by different threads at once.
    bool set(std::int64_t item, const T* values, std::int64_t length) noexcept {
        T* copy = reserve(item, length);
        if (copy != nullptr && length > 0) {
            std::memcpy(copy, values, static_cast<std::size_t>(length) * sizeof(T));
        }
        return copy != nullptr;
    }

    // Uninitialised room for an item; nullptr when memory is short. shorten() may follow.
    T* reserve(std::int64_t item, std::int64_t length) noexcept {
        Item& it = items_[item];
        std::free(it.values);
        it.values = static_cast<T*>(std::malloc(static_cast<std::size_t>(length + 1) * sizeof(T)));
        it.length = it.values != nullptr ? length : 0;
        return it.values;
    }
    void shorten(std::int64_t item, std::int64_t length) noexcept { items_[item].length = length; }

    std::int64_t count() const noexcept { return count_; }
    const T* data(std::int64_t item) const noexcept { return items_[item].values; }
    std::int64_t length(std::int64_t item) const noexcept { return items_[item].length; }

    // offsets: (count + 1,). Returns offsets[count], the number of all values.
    std::int64_t offsets(std::int64_t* out) const noexcept {
        out[0] = 0;
        for (std::int64_t i = 0; i < count_; ++i) {
            out[i + 1] = out[i] + items_[i].length;
        }
        return out[count_];
    }
    void copy_to(T* out) const noexcept {
        for (std::int64_t i = 0; i < count_; ++i) {
            if (items_[i].length > 0) {
                const auto bytes = static_cast<std::size_t>(items_[i].length) * sizeof(T);
                std::memcpy(out, items_[i].values, bytes);
                out += items_[i].length;
            }
        }
    }

  private:
    struct Item {
        T* values = nullptr;
        std::int64_t length = 0;
    };

    void release() noexcept {
        for (std::int64_t i = 0; i < count_; ++i) {
            std::free(items_[i].values);
        }
        delete[] items_;
        items_ = nullptr;
        count_ = 0;
    }

    Item* items_ = nullptr;
    std::int64_t count_ = 0;
};

}  // namespace refpix
