// csrc/kernels/parsing_unpack/cuda.cu on the CPU, against cpu.cpp: codes, offsets and faults.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/parsing_unpack/cuda.cu"

namespace {

using namespace refpix;

struct Batch {
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> spans;

    explicit Batch(const std::vector<std::string>& items) {
        for (const std::string& item : items) {
            spans.push_back(static_cast<std::int64_t>(bytes.size()));
            bytes.insert(bytes.end(), item.begin(), item.end());
            spans.push_back(static_cast<std::int64_t>(bytes.size()));
        }
    }
};

struct Result {
    Status status;
    std::vector<std::int64_t> offsets;
    std::vector<std::int32_t> codes;
};

ParsingUnpack arguments(const Batch& batch, bool strict, Result* result) {
    const auto count = static_cast<std::int64_t>(batch.spans.size() / 2);
    result->offsets.assign(static_cast<std::size_t>(count + 1), -7);
    ParsingUnpack args;
    args.text = {batch.bytes.data(), static_cast<std::int64_t>(batch.bytes.size()),
                 batch.spans.data(), count};
    args.strict = strict;
    args.offsets = result->offsets.data();
    return args;
}

Result on_cpu(const Batch& batch, bool strict) {
    Result result;
    ParsingUnpack args = arguments(batch, strict, &result);
    result.status = cpu::parsing_unpack_count(args);
    if (result.status.ok()) {
        result.codes.resize(static_cast<std::size_t>(result.offsets.back()));
        args.codes = result.codes.data();
        result.status = cpu::parsing_unpack(args);
    }
    return result;
}

Result on_device(const Batch& batch, bool strict) {
    Result result;
    std::vector<std::int64_t> first_bad(3);
    DeviceFault fault;
    cuda::ParsingUnpackRun run;
    run.args = arguments(batch, strict, &result);
    run.first_bad = first_bad.data();
    run.fault = &fault;
    cuda::parsing_unpack_count(run, nullptr);
    run.capacity = result.offsets.back();
    result.codes.resize(static_cast<std::size_t>(run.capacity));
    run.args.codes = result.codes.data();
    cuda::parsing_unpack(run, nullptr);
    result.status = {static_cast<Fault>(fault.fault), fault.item, fault.position};
    return result;
}

bool check(const char* name, const Batch& batch, bool strict) {
    const Result wanted = on_cpu(batch, strict);
    const Result got = on_device(batch, strict);
    const bool same_fault = got.status.fault == wanted.status.fault &&
                            got.status.item == wanted.status.item &&
                            got.status.position == wanted.status.position;
    const bool same_values =
        !wanted.status.ok() || (got.offsets == wanted.offsets && got.codes == wanted.codes);
    if (!same_fault || !same_values) {
        std::printf("wrong: %s, strict %d: fault %s, item %ld, byte %ld; wanted %s, %ld, %ld\n",
                    name, strict, fault_name(got.status.fault), got.status.item,
                    got.status.position, fault_name(wanted.status.fault), wanted.status.item,
                    wanted.status.position);
    }
    return same_fault && same_values;
}

std::string codes(int count, int seed) {
    std::string text;
    for (int i = 0; i < count; ++i) {
        text += (i > 0 ? "," : "") + std::to_string((i * 7 + seed) % 32);
    }
    return text;
}

// Beyond what count_items wrote to `capacity`, nothing is stored.
bool check_capacity() {
    const Batch batch({"1,2,3", "4,5,6"});
    Result result;
    std::vector<std::int64_t> first_bad(3);
    std::vector<std::int32_t> four(4, -1);
    DeviceFault fault;
    cuda::ParsingUnpackRun run;
    run.args = arguments(batch, false, &result);
    run.first_bad = first_bad.data();
    run.fault = &fault;
    run.args.codes = four.data();
    run.capacity = 4;
    cuda::parsing_unpack_count(run, nullptr);
    cuda::parsing_unpack(run, nullptr);
    return four == std::vector<std::int32_t>{1, 2, 3, 4};
}

}  // namespace

// With an argument only some cases: enough to show races, which ThreadSanitizer is slow to watch.
int main(int argc, char**) {
    std::vector<std::string> grids, ragged;
    for (int i = 0; i < 9; ++i) {
        grids.push_back(codes(48, i));
    }
    for (int i = 0; i < 1100; ++i) {  // more than one round of the scan
        ragged.push_back(i % 50 == 0 ? codes(1 + i / 10, i) : codes(1 + i % 3, i));
    }
    if (argc > 1) {
        Batch malformed(grids);
        malformed.bytes.assign(malformed.bytes.size(), 'x');
        return check("grids", Batch(grids), true) && check("ragged", Batch(ragged), false) &&
                       check("malformed", malformed, true)
                   ? EXIT_SUCCESS
                   : EXIT_FAILURE;
    }
    bool good = check_capacity();
    const std::string long_blank(70, ' ');
    for (const bool strict : {false, true}) {
        good &= check("empty batch", Batch({}), strict);
        good &= check("grids", Batch(grids), strict);
        good &= check("signs and blanks", Batch({" +5 ,-1\t,1_0" + long_blank, "7"}), strict);
        good &= check("extremes", Batch({"2147483647,-2147483648"}), strict);
        for (const char* bad :
             {"", ",", "1,,2", "1,2,", "1;2", "1 2", "_1", "1__0", "1_", "- 1", "2147483648",
              "-2147483649", "99999999999999999999999", "\xef\xbc\x91"}) {
            good &= check(bad, Batch({"1", bad, "x"}), strict);
        }
        // A comma as the last byte of a warp's 32, and a fault after a good code in the same 32.
        good &= check("comma at 31", Batch({"1," + std::string(29, '0') + ",", "1"}), strict);
        good &= check("code across 32", Batch({std::string(30, ' ') + "123456,7,8"}), strict);
        good &= check("two faults", Batch({"1,2,x,y," + long_blank + "z"}), strict);
        auto out_of_range = grids;
        out_of_range[4] = codes(47, 4) + ",32";
        good &= check("32", Batch(out_of_range), strict);
        auto miscounted = grids;
        miscounted[6] += ",1";
        miscounted[2] = "x";  // miscounted too, and before
        good &= check("miscounted", Batch(miscounted), strict);
        Batch outside(grids);
        outside.spans[11] = static_cast<std::int64_t>(outside.bytes.size()) + 1;
        good &= check("span beyond the end", outside, strict);
        outside.spans[6] = -1;
        good &= check("negative span", outside, strict);
        outside.spans[4] = outside.spans[5] + 1;
        good &= check("backward span", outside, strict);
    }
    good &= check("ragged", Batch(ragged), false);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
