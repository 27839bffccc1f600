// Where the rows of a text begin: the byte after every newline.
#pragma once

#include <cstdint>

#include "core/status.h"

namespace refpix {

// Offsets found so far, in pieces that end up one after the other. Grows as rows are found: to
// count them first would read the file twice.
class TsvRowEnds {
  public:
    TsvRowEnds() = default;
    TsvRowEnds(const TsvRowEnds&) = delete;
    TsvRowEnds& operator=(const TsvRowEnds&) = delete;
    ~TsvRowEnds();

    std::int64_t count() const noexcept;
    void copy_to(std::int64_t* ends) const noexcept;

  private:
    friend struct TsvRowEndsAccess;
    struct Piece {
        std::int64_t* ends = nullptr;
        std::int64_t count = 0;
        std::int64_t room = 0;
    };
    Piece* pieces_ = nullptr;
    std::int64_t piece_count_ = 0;
};

struct TsvIndex {
    const std::uint8_t* values = nullptr;
    std::int64_t size = 0;
    int threads = 1;
    TsvRowEnds* ends = nullptr;  // one per row, the last row's with or without a newline
};

namespace cpu {
Status tsv_index(const TsvIndex& args) noexcept;
}

}  // namespace refpix
