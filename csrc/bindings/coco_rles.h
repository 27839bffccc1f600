// Masks in COCO's dicts, {'size': [height, width], 'counts': ...}, to columns and back.
//
// Python's objects are read with the GIL held; the text is parsed without, unless it is short.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bindings/bind.h"
#include "core/ragged.h"
#include "core/rle.h"

namespace refpix::bind {

// Below so many bytes of text or runs the work is done before another thread could take the GIL.
inline constexpr std::int64_t gil_worth = 4096;

class CocoRles {
  public:
    // A list or tuple of dicts whose counts are compressed (bytes or str) or a sequence of run
    // lengths. Throws KeyError, TypeError and ValueError that name the item, the first one `first`.
    explicit CocoRles(const py::handle& rles, std::int64_t first = 0);
    ~CocoRles();
    CocoRles(const CocoRles&) = delete;
    CocoRles& operator=(const CocoRles&) = delete;

    // Reads the compressed ones. Needs no GIL; view() is valid afterwards.
    Status parse(int threads);
    Rles view() const noexcept;
    std::int64_t size() const noexcept { return count_; }
    bool small() const noexcept { return capacity_ < gil_worth; }

  private:
    struct Item {
        PyObject* counts;          // held: another thread may change the dict meanwhile
        const std::uint8_t* text;  // compressed counts, or nullptr: they lie in loose_
        std::int64_t length;       // of the text in bytes, or of the runs in loose_
        std::int64_t start;        // first of the runs in loose_
    };
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };

    // Made first, so that the destructor runs if reading throws.
    CocoRles() = default;
    void read(const py::handle& rle, std::int64_t item);
    void read_size(const py::handle& size, std::int64_t item);
    void read_counts(const py::handle& counts, std::int64_t item);
    void read_list(const py::handle& list, std::int64_t item);
    void read_sequence(const py::handle& counts, std::int64_t item);
    void push_run(long long value, std::int64_t item);
    Status parse_in_turn();
    Status parse_side_by_side(int threads);
    Status parse_item(std::int64_t item, std::uint32_t* out, std::int64_t* runs) noexcept;

    // One block for the items, sizes and offsets; within the object for the few masks of most
    // calls.
    static constexpr std::int64_t few = 10;
    static constexpr std::int64_t bytes_each = sizeof(Item) + 3 * sizeof(std::int64_t);

    std::int64_t first_ = 0;
    std::int64_t count_ = 0;
    std::int64_t filled_ = 0;  // items whose counts are held
    std::int64_t capacity_ = 0;
    alignas(8) char within_[few * bytes_each + sizeof(std::int64_t)];
    std::unique_ptr<void, Free> block_;
    Item* items_ = nullptr;             // (count,)
    std::int64_t* sizes_ = nullptr;     // (count, 2)
    std::int64_t* offsets_ = nullptr;   // (count + 1,)
    std::vector<std::uint32_t> loose_;  // runs that came uncompressed
    std::unique_ptr<std::uint32_t, Free> counts_;
};

// [{'size': [height, width], 'counts': bytes}, ...]; sizes is (items, 2). Needs the GIL, and lets
// go of it while it writes longer texts.
py::list coco_dicts(const Ragged<std::uint32_t>& counts, const std::int64_t* sizes, int threads);
py::list coco_dicts(const Rles& masks, int threads);

}  // namespace refpix::bind
