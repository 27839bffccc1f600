#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/first_fault.h"
#include "core/isa.h"
#include "core/thread_pool.h"
#include "kernels/tsv_index/newlines.h"
#include "kernels/tsv_index/tsv_index.h"

namespace refpix {
namespace tsv {

namespace scalar {

std::int64_t newlines(const std::uint8_t* values, std::int64_t* next, std::int64_t stop,
                      std::int64_t* ends, std::int64_t room) noexcept {
    std::int64_t count = 0;
    std::int64_t at = *next;
    while (at < stop && room - count >= newline_block) {
        const void* found = std::memchr(values + at, '\n', static_cast<std::size_t>(stop - at));
        if (found == nullptr) {
            at = stop;
            break;
        }
        at = static_cast<const std::uint8_t*>(found) - values + 1;
        ends[count++] = at;
    }
    *next = at;
    return count;
}

}  // namespace scalar

namespace {

Newlines* path() noexcept {
#if defined(REFPIX_X86)
    if (active_isa() >= Isa::avx512) {
        return avx512::newlines;
    }
    if (active_isa() >= Isa::avx2) {
        return avx2::newlines;
    }
#endif
    return scalar::newlines;
}

// Large enough that handing out pieces costs nothing, small enough to share them evenly.
constexpr std::int64_t piece_bytes = std::int64_t{8} << 20;

}  // namespace
}  // namespace tsv

struct TsvRowEndsAccess {
    static Status reserve(TsvRowEnds& ends, std::int64_t pieces) noexcept {
        ends.pieces_ = new (std::nothrow) TsvRowEnds::Piece[static_cast<std::size_t>(pieces)];
        if (ends.pieces_ == nullptr) {
            return {Fault::out_of_memory};
        }
        ends.piece_count_ = pieces;
        return {};
    }

    static Status grow(TsvRowEnds::Piece& piece) noexcept {
        const std::int64_t room = std::max<std::int64_t>(2 * piece.room, 4 * tsv::newline_block);
        void* moved = std::realloc(piece.ends, static_cast<std::size_t>(room) * sizeof *piece.ends);
        if (moved == nullptr) {
            return {Fault::out_of_memory};
        }
        piece.ends = static_cast<std::int64_t*>(moved);
        piece.room = room;
        return {};
    }

    static Status scan(TsvRowEnds& ends, const TsvIndex& args, std::int64_t index) noexcept {
        TsvRowEnds::Piece& piece = ends.pieces_[index];
        std::int64_t next = index * tsv::piece_bytes;
        const std::int64_t stop = std::min(next + tsv::piece_bytes, args.size);
        tsv::Newlines* const newlines = tsv::path();
        while (next < stop) {
            if (piece.room - piece.count < tsv::newline_block) {
                const Status status = grow(piece);
                if (!status.ok()) {
                    return status;
                }
            }
            piece.count += newlines(args.values, &next, stop, piece.ends + piece.count,
                                    piece.room - piece.count);
        }
        if (stop == args.size && args.values[stop - 1] != '\n') {
            if (piece.count == piece.room) {
                const Status status = grow(piece);
                if (!status.ok()) {
                    return status;
                }
            }
            piece.ends[piece.count++] = stop;
        }
        return {};
    }
};

TsvRowEnds::~TsvRowEnds() {
    for (std::int64_t i = 0; i < piece_count_; ++i) {
        std::free(pieces_[i].ends);
    }
    delete[] pieces_;
}

std::int64_t TsvRowEnds::count() const noexcept {
    std::int64_t total = 0;
    for (std::int64_t i = 0; i < piece_count_; ++i) {
        total += pieces_[i].count;
    }
    return total;
}

void TsvRowEnds::copy_to(std::int64_t* ends) const noexcept {
    for (std::int64_t i = 0; i < piece_count_; ++i) {
        if (pieces_[i].count > 0) {
            std::memcpy(ends, pieces_[i].ends,
                        static_cast<std::size_t>(pieces_[i].count) * sizeof *ends);
        }
        ends += pieces_[i].count;
    }
}

namespace cpu {

Status tsv_index(const TsvIndex& args) noexcept {
    const std::int64_t pieces = (args.size + tsv::piece_bytes - 1) / tsv::piece_bytes;
    const Status reserved = TsvRowEndsAccess::reserve(*args.ends, pieces);
    if (!reserved.ok()) {
        return reserved;
    }
    FirstFault faults;
    parallel_for(pieces, args.threads, [&](std::int64_t index) {
        faults.report(TsvRowEndsAccess::scan(*args.ends, args, index));
    });
    return faults.status();
}

}  // namespace cpu
}  // namespace refpix
