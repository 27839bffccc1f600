// Puts HuffmanScan in the place of libjpeg's entropy decoder.
#include <csetjmp>
#include <cstring>

#include "kernels/jpeg_decode/reader_state.h"

namespace refpix {
namespace {

// What libjpeg-turbo's entropy decoders begin with, in 1.x to 3.x; jpegint.h says so but is not
// installed everywhere.
struct EntropyDecoder {
    void (*start_pass)(j_decompress_ptr);
    boolean (*decode_mcu)(j_decompress_ptr, JBLOCKROW*);
};

constexpr bool known_library =
    LIBJPEG_TURBO_VERSION_NUMBER >= 1005000 && LIBJPEG_TURBO_VERSION_NUMBER < 4000000;

// The library that runs may be another one than that of the headers.
bool runs_libjpeg_turbo(const jpeg_error_mgr& errors) noexcept {
    return std::strstr(errors.jpeg_message_table[JMSG_COPYRIGHT], "libjpeg-turbo") != nullptr;
}

}  // namespace

// After libjpeg has begun, which checks the tables. Files of several scans stay with it.
void JpegReader::State::take_over() noexcept {
    if (!known_library || !runs_libjpeg_turbo(errors) || plain || end_appended ||
        info.progressive_mode || info.arith_code || jpeg_has_multiple_scans(&info)) {
        return;
    }
    const std::int64_t mcus = std::int64_t{info.MCUs_per_row} * info.MCU_rows_in_scan;
    if (!scan.open(source.next_input_byte, data + size - source.next_input_byte, mcus,
                   info.restart_interval)) {
        return;
    }
    for (int i = 0; i < info.blocks_in_MCU; ++i) {
        const int component = info.MCU_membership[i];
        const jpeg_component_info* about = info.cur_comp_info[component];
        const JHUFF_TBL* dc = info.dc_huff_tbl_ptrs[about->dc_tbl_no];
        const JHUFF_TBL* ac = info.ac_huff_tbl_ptrs[about->ac_tbl_no];
        scan.add_block(component, about->dc_tbl_no, {dc->bits, dc->huffval}, about->ac_tbl_no,
                       {ac->bits, ac->huffval});
    }
    taken_over = true;
    reinterpret_cast<EntropyDecoder*>(info.entropy)->decode_mcu = [](j_decompress_ptr decompress,
                                                                     JBLOCKROW* blocks) -> boolean {
        State& state = of(decompress);
        if (!state.scan.decode_mcu(blocks)) {
            state.plain = state.gave_up = true;
            std::longjmp(state.jump, 1);
        }
        if (state.scan.finished()) {  // libjpeg goes on with the marker behind
            state.feed(state.size);
            state.source.next_input_byte += state.scan.end();
            state.source.bytes_in_buffer -= static_cast<std::size_t>(state.scan.end());
        }
        return TRUE;
    };
}

// As if nothing had been read, up to the row that is due, by libjpeg alone. Boxes, whose rows may
// be cut, begin anew themselves.
Status JpegReader::State::start_again() noexcept {
    if (sought) {
        return {Fault::jpeg_corrupt, -1, -1};
    }
    const std::int64_t due = row;
    Status status = open();
    if (status.ok()) {
        status = begin();
    }
    if (!status.ok() || due == 0) {
        return status;
    }
    try {
        line.resize(static_cast<std::size_t>(width * 4));
    } catch (...) {
        return {Fault::out_of_memory, -1, -1};
    }
    return decode(line.data(), 0, due);
}

}  // namespace refpix
