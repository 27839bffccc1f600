// Masks as the positions at which they change, which is what run lengths are the differences of,
// and the loop over a batch of them.
#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include "core/first_fault.h"
#include "core/ragged.h"
#include "core/rle.h"
#include "core/thread_pool.h"

namespace refpix {

// Scratch that a thread keeps from call to call, unless a large mask made it grow.
template <typename T>
void release_if_large(std::vector<T>& scratch) noexcept {
    if (scratch.capacity() * sizeof(T) > std::size_t{16} << 20) {
        std::vector<T>().swap(scratch);
    }
}

// Positions in ascending order; two equal ones cancel, so that no run is empty but perhaps the
// first. Before position [i] the mask is i % 2.
class Toggles {
  public:
    void clear(std::int64_t most) {
        const auto wanted = static_cast<std::size_t>(most) + 1;
        if (positions_.size() < wanted) {
            positions_.resize(wanted);
        }
        positions_[0] = -1;  // equals no position
        last_ = 0;
    }
    void drop() noexcept { last_ = 0; }  // all of them, keeping the room
    void add(std::int64_t position) noexcept {
        std::int64_t* const at = positions_.data() + last_;
        at[1] = position;
        last_ += at[0] == position ? -1 : 1;
    }
    // Many of them: keeps in registers what add() must look up. The positions stand once it is
    // done().
    class Writer {
      public:
        explicit Writer(Toggles& toggles) noexcept
            : at_(toggles.positions_.data() + toggles.last_), before_(*at_) {}
        void add(std::int64_t position) noexcept {
            if (position != before_) {  // nearly always, and so foreseen
                *++at_ = position;
                before_ = position;
            } else {
                before_ = *--at_;
            }
        }
        void done(Toggles& toggles) const noexcept {
            toggles.last_ = at_ - toggles.positions_.data();
        }

      private:
        std::int64_t* at_;
        std::int64_t before_;
    };
    // As clear(), with the positions at which a mask changes. Its runs must sum to its pixels.
    void read(const Rle& mask) {
        clear(mask.runs);
        Writer writer(*this);
        std::int64_t position = 0;
        for (std::int64_t run = 0; run < mask.runs; ++run) {
            position += mask.counts[run];
            writer.add(position);
        }
        writer.done(*this);
        // Empty runs at the end cancel among themselves.
        last_ -= last_ > 0 && positions_[last_] == mask.pixels() ? 1 : 0;
    }
    // Room for so many more.
    void grow(std::int64_t more) {
        const auto wanted = static_cast<std::size_t>(last_ + more) + 1;
        if (wanted > positions_.size()) {
            positions_.resize(wanted + wanted / 2);
        }
    }
    std::int64_t count() const noexcept { return last_; }
    std::int64_t operator[](std::int64_t i) const noexcept { return positions_[i + 1]; }
    void release() noexcept { release_if_large(positions_); }

    // The run lengths of a mask of so many pixels.
    Status store(std::int64_t item, std::int64_t pixels, Ragged<std::uint32_t>* out) noexcept {
        const std::int64_t* const at = positions_.data() + 1;
        const std::int64_t runs = last_ + (last_ == 0 || at[last_ - 1] != pixels ? 1 : 0);
        std::uint32_t* const counts = out->reserve(item, runs);
        if (counts == nullptr) {
            return {Fault::out_of_memory, item, -1};
        }
        std::uint64_t high = 0;
        std::int64_t before = 0;
        for (std::int64_t i = 0; i < runs; ++i) {
            const std::int64_t position = i < last_ ? at[i] : pixels;
            const auto run = static_cast<std::uint64_t>(position - before);
            high |= run >> 32;
            counts[i] = static_cast<std::uint32_t>(run);
            before = position;
        }
        return high == 0 ? Status{} : Status{Fault::rle_run_overflow, item, -1};
    }

  private:
    std::vector<std::int64_t> positions_;  // from index 1
    std::int64_t last_ = 0;
};

// Masks one by one, on any thread: `make(item, scratch)` stores one in `out` and may throw what a
// vector throws when memory is short. Each thread keeps a Scratch, whose release() gives back what
// a large mask made it grow. `make` calls something that is not inlined: the thread's scratch would
// be looked up at every use.
template <typename Scratch, typename Make>
Status make_each(std::int64_t count, int threads, Ragged<std::uint32_t>* out, Make make) noexcept {
    if (!out->resize(count)) {
        return {Fault::out_of_memory, -1, -1};
    }
    FirstFault faults;
    parallel_for(count, threads, [&](std::int64_t item) {
        thread_local Scratch scratch;
        try {
            faults.report(make(item, scratch));
        } catch (const std::exception&) {  // bad_alloc, or length_error
            faults.report({Fault::out_of_memory, item, -1});
        }
        scratch.release();
    });
    return faults.status();
}

}  // namespace refpix
