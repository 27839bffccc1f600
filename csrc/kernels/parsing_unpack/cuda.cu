// A warp per item. The bytes after commas are where integers start, so each lane looks at one byte,
// and those that find a start read one integer each: its place in the output is the number of
// starts before it.
#include <cstdint>

#include "kernels/cuda_faults.h"
#include "kernels/cuda_launch.h"
#include "kernels/cuda_scan.h"
#include "kernels/parsing_unpack/parse.h"
#include "kernels/parsing_unpack/parsing_unpack.h"

namespace refpix::cuda {
namespace {

constexpr int unpack_threads = 128;
constexpr int unpack_warps = unpack_threads / 32;
constexpr int unpack_blocks = 16;  // per multiprocessor
constexpr unsigned all_lanes = 0xffffffffu;

// What the CPU checks one after the other, over the whole batch each time.
enum Stage { bounds = 0, wrong_count = 1, malformed = 2, stages = 3 };

__device__ void note(std::int64_t* first_bad, Stage stage, std::int64_t item) {
    atomicMin(reinterpret_cast<long long*>(first_bad + stage), static_cast<long long>(item));
}

__device__ bool in_bounds(const Spans& text, std::int64_t item) {
    const std::int64_t start = text.spans[2 * item];
    const std::int64_t stop = text.spans[2 * item + 1];
    return start >= 0 && stop >= start && stop <= text.size;
}

// Item `item` of (count + 1) takes offsets[item]: with `strict` the sizes are known beforehand,
// otherwise the item's own count goes to offsets[item + 1], to be summed up.
__global__ void count_items(const __grid_constant__ ParsingUnpackRun run) {
    const ParsingUnpack& args = run.args;
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int64_t warps = std::int64_t{gridDim.x} * unpack_warps;
    for (std::int64_t item = std::int64_t{blockIdx.x} * unpack_warps + threadIdx.x / 32;
         item < args.text.count; item += warps) {
        std::int64_t codes = 0;
        const bool inside = in_bounds(args.text, item);
        if (inside) {
            const std::int64_t start = args.text.spans[2 * item];
            const std::int64_t length = args.text.spans[2 * item + 1] - start;
            codes = 1;
            for (std::int64_t i = 0; i < length; i += 32) {
                const bool comma = i + lane < length && args.text.values[start + i + lane] == ',';
                codes += __popc(__ballot_sync(all_lanes, comma));
            }
        }
        if (lane == 0) {
            if (!inside) {
                note(run.first_bad, bounds, item);
            } else if (args.strict && codes != parsing_code_count) {
                note(run.first_bad, wrong_count, item);
            }
            args.offsets[item + 1] = args.strict ? (item + 1) * parsing_code_count : codes;
        }
    }
}

__global__ void parse_items(const __grid_constant__ ParsingUnpackRun run) {
    const ParsingUnpack& args = run.args;
    if (run.first_bad[bounds] < args.text.count || run.first_bad[wrong_count] < args.text.count) {
        return;  // as the CPU: nothing is parsed when a check before failed
    }
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const std::int32_t limit = args.strict ? parsing_code_range : 0;
    const std::int64_t warps = std::int64_t{gridDim.x} * unpack_warps;
    for (std::int64_t item = std::int64_t{blockIdx.x} * unpack_warps + threadIdx.x / 32;
         item < args.text.count; item += warps) {
        const std::uint8_t* text = args.text.values + args.text.spans[2 * item];
        const std::int64_t length = args.text.spans[2 * item + 1] - args.text.spans[2 * item];
        std::int64_t next = args.offsets[item];
        // The text may have changed since it was counted; memory beyond the item's must not.
        const std::int64_t end = args.offsets[item + 1];
        const std::int64_t stop = end < run.capacity ? end : run.capacity;
        for (std::int64_t i = 0; i <= length; i += 32) {
            const std::int64_t at = i + lane;
            const bool starts = at == 0 || (at <= length && text[at - 1] == ',');
            const unsigned found = __ballot_sync(all_lanes, starts);
            if (starts) {
                const auto one = parsing_codes::parse_one(text, length, at, limit);
                const std::int64_t slot = next + __popc(found & ((1u << lane) - 1u));
                if (one.fault != Fault::none) {
                    note(run.first_bad, malformed, item);
                } else if (slot < stop) {
                    args.codes[slot] = one.code;
                }
            }
            next += __popc(found);
        }
    }
}

// Reads the first bad item once more, from its start, to say the same as the CPU.
__global__ void name_first_fault(const __grid_constant__ ParsingUnpackRun run) {
    const Spans& text = run.args.text;
    int stage = 0;
    while (stage < stages && run.first_bad[stage] >= text.count) {
        ++stage;
    }
    if (threadIdx.x != 0 || stage == stages || atomicCAS(&run.fault->taken, 0, 1) != 0) {
        return;
    }
    const std::int64_t item = run.first_bad[stage];
    const std::int64_t start = text.spans[2 * item];
    const std::int64_t length = text.spans[2 * item + 1] - start;
    parsing_codes::Fail fail{Fault::span_out_of_bounds, start};
    if (stage == wrong_count) {
        fail = {Fault::codes_wrong_count, length};
    } else if (stage == malformed) {
        fail = parsing_codes::parse(text.values + start, length,
                                    run.args.strict ? parsing_code_range : 0, nullptr);
    }
    run.fault->fault = static_cast<std::int32_t>(fail.fault);
    run.fault->item = item;
    run.fault->position = fail.position;
}

unsigned item_blocks(const ParsingUnpackRun& run) noexcept {
    return blocks_for((run.args.text.count + unpack_warps - 1) / unpack_warps, unpack_blocks);
}

}  // namespace

int parsing_unpack_count(const ParsingUnpackRun& run, DeviceStream stream) noexcept {
    cudaError_t error = cudaMemsetAsync(run.args.offsets, 0, sizeof(std::int64_t), stream);
    if (error == cudaSuccess) {
        error = cudaMemsetAsync(run.first_bad, no_item_byte, stages * sizeof(std::int64_t), stream);
    }
    if (error != cudaSuccess || run.args.text.count == 0) {
        return error;
    }
    error = launch(count_items, item_blocks(run), unpack_threads, stream, run);
    if (error == cudaSuccess && !run.args.strict) {
        error = launch(sum_up<scan_threads>, 1, scan_threads, stream, run.args.offsets + 1,
                       run.args.text.count);
    }
    return error;
}

int parsing_unpack(const ParsingUnpackRun& run, DeviceStream stream) noexcept {
    if (run.args.text.count == 0) {
        return 0;
    }
    cudaError_t error = launch(parse_items, item_blocks(run), unpack_threads, stream, run);
    if (error == cudaSuccess) {
        error = launch(name_first_fault, 1, 32, stream, run);
    }
    return error;
}

}  // namespace refpix::cuda
