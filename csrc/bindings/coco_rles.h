// Masks in COCO's dicts, {'size': [height, width], 'counts': ...}, to columns and back.
//
// Python's objects are read with the GIL held; the text is parsed without.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "bindings/bind.h"
#include "core/ragged.h"
#include "core/rle.h"

namespace refpix::bind {

class CocoRles {
  public:
    // A list or tuple of dicts whose counts are compressed (bytes or str) or a sequence of run
    // lengths. Throws KeyError, TypeError and ValueError that name the item.
    explicit CocoRles(const py::handle& rles);

    // Reads the compressed ones. Needs no GIL; view() is valid afterwards.
    Status parse(int threads);
    Rles view() const noexcept;
    std::int64_t size() const noexcept { return static_cast<std::int64_t>(items_.size()); }

  private:
    struct Item {
        const std::uint8_t* text;  // compressed counts, or nullptr: they lie in loose_
        std::int64_t length;       // of the text in bytes, or of the runs in loose_
        std::int64_t start;        // first of the runs in loose_
    };
    struct Free {
        void operator()(std::uint32_t* counts) const { std::free(counts); }
    };

    void read_counts(const py::handle& counts, Item* item);
    void read_sequence(const py::handle& counts, Item* item);
    void read_size(const py::handle& size, std::int64_t item);
    Status parse_in_turn();
    Status parse_side_by_side(int threads);
    Status parse_item(std::int64_t item, std::uint32_t* out, std::int64_t* runs) noexcept;

    std::vector<Item> items_;
    std::vector<py::object> kept_;  // the texts, should another thread change the dicts meanwhile
    std::vector<std::uint32_t> loose_;
    std::vector<std::int64_t> sizes_;
    std::vector<std::int64_t> offsets_;
    std::unique_ptr<std::uint32_t, Free> counts_;
};

// [{'size': [height, width], 'counts': bytes}, ...] of run lengths; sizes is (items, 2). Releases
// the GIL while it writes the text.
py::list coco_dicts(const Ragged<std::uint32_t>& counts, const std::int64_t* sizes, int threads);

}  // namespace refpix::bind
