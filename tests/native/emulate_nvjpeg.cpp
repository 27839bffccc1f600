// The batches around nvJPEG, on the emulated runtime and with a stand-in for the library: pixels
// against cpu::jpeg_decode, refused and failing files, boxes, several threads, and nothing left
// behind. Arguments: the stand-in, the old one, and "brief" for slow sanitizers.
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "kernels/jpeg_decode/nvjpeg_decoder.h"
#include "kernels/jpeg_decode/nvjpeg_resources.h"
#include "kernels/jpeg_decode/route.h"

// clang-format off: jpeglib.h needs size_t and FILE.
#include <jpeglib.h>
// clang-format on

using namespace refpix;
using nvjpeg::BatchDecoder;

namespace {

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                        \
        }                                                                        \
    } while (false)

using Bytes = std::vector<std::uint8_t>;

struct Kind {
    int width = 40, height = 32, sampling = 2;  // 2: 4:2:0, 1: 4:2:2, 0: 4:4:4, 3: gray, 4: 4:1:1
    bool progressive = false, fails = false, cut = false;
};

Bytes encoded(const Kind& kind) {
    jpeg_compress_struct info;
    jpeg_error_mgr errors;
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    unsigned char* memory = nullptr;
    unsigned long size = 0;
    jpeg_mem_dest(&info, &memory, &size);
    info.image_width = static_cast<JDIMENSION>(kind.width);
    info.image_height = static_cast<JDIMENSION>(kind.height);
    info.input_components = kind.sampling == 3 ? 1 : 3;
    info.in_color_space = kind.sampling == 3 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info);
    const int across[] = {1, 2, 2, 1, 4}, down[] = {1, 1, 2, 1, 1};
    info.comp_info[0].h_samp_factor = across[kind.sampling];
    info.comp_info[0].v_samp_factor = down[kind.sampling];
    if (kind.progressive) {
        jpeg_simple_progression(&info);
    }
    jpeg_start_compress(&info, TRUE);
    if (kind.fails) {
        const char text[] = "fails while decoding";
        jpeg_write_marker(&info, JPEG_COM, reinterpret_cast<const JOCTET*>(text), sizeof text);
    }
    Bytes row(static_cast<std::size_t>(kind.width) * 3);
    for (int y = 0; y < kind.height; ++y) {
        for (std::size_t x = 0; x < row.size(); ++x) {
            row[x] =
                static_cast<std::uint8_t>(x * x / 7 + static_cast<std::size_t>(y * 31) + x * 5);
        }
        JSAMPROW rows = row.data();
        jpeg_write_scanlines(&info, &rows, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    Bytes file(memory, memory + size);
    std::free(memory);
    if (kind.cut) {
        file.resize(file.size() - 60);
    }
    return file;
}

// The stand-in's own functions.
struct StandIn {
    explicit StandIn(const char* path) : library(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        CHECK(library != nullptr);
    }
    template <typename Result, typename... Arguments>
    Result call(const char* name, Arguments... arguments) const {
        auto* function = reinterpret_cast<Result (*)(Arguments...)>(dlsym(library, name));
        CHECK(function != nullptr);
        return function(arguments...);
    }
    long count(const char* name) const { return call<long>(name); }
    void* library;
};

struct Job {
    explicit Job(const std::vector<Kind>& kinds, bool with_boxes) {
        for (const Kind& kind : kinds) {
            const Bytes file = encoded(kind);
            const auto start = static_cast<std::int64_t>(values.size());
            values.insert(values.end(), file.begin(), file.end());
            spans.insert(spans.end(), {start, static_cast<std::int64_t>(values.size())});
            boxes.insert(boxes.end(), {kind.width / 4, 3, kind.width - 1, kind.height - 2});
        }
        const std::size_t count = kinds.size();
        sizes.resize(2 * count);
        pictures.resize(2 * count);
        faults.resize(2 * count);
        lengths.resize(count);
        offsets.resize(count + 1);
        engines.resize(count);
        reasons.resize(count);
        JpegRoutes routes;
        JpegDecode& decode = routes.decode;
        decode.files = {values.data(), static_cast<std::int64_t>(values.size()), spans.data(),
                        static_cast<std::int64_t>(count)};
        decode.options.allow_truncated = true;
        decode.roi = with_boxes ? boxes.data() : nullptr;
        decode.sizes = sizes.data();
        routes.pictures = pictures.data();
        routes.lengths = lengths.data();
        routes.engines = engines.data();
        routes.reasons = reasons.data();
        routes.faults = faults.data();
        CHECK(cpu::jpeg_routes(routes).ok());
        decode.offsets = offsets.data();
        CHECK(cpu::jpeg_decode_sizes(decode).ok());
        expected.resize(static_cast<std::size_t>(offsets.back()));
        decode.pixels = expected.data();
        CHECK(cpu::jpeg_decode(decode).ok());
        roi = decode.roi;
        for (std::size_t i = 0; i < count; ++i) {
            spans[2 * i + 1] = spans[2 * i] + lengths[i];
        }
    }

    // What has decoded each item; what is decoded must be right and the rest untouched.
    std::vector<std::uint8_t> run(BatchDecoder& decoder, const StandIn& stand_in) const {
        const auto count = static_cast<std::int64_t>(engines.size());
        Bytes pixels(expected.size(), 0xa5);
        std::vector<std::uint8_t> wanted(engines.size()), done(engines.size(), 77);
        for (std::size_t i = 0; i < engines.size(); ++i) {
            wanted[i] = static_cast<std::uint8_t>(engines[i]);
        }
        nvjpeg::Batch batch;
        batch.files = {values.data(), static_cast<std::int64_t>(values.size()), spans.data(),
                       count};
        batch.pictures = pictures.data();
        batch.sizes = sizes.data();
        batch.roi = roi;
        batch.engines = wanted.data();
        batch.offsets = offsets.data();
        batch.pixels = pixels.data();
        batch.done = done.data();
        CHECK(decoder.decode(batch, nullptr) == 0);
        for (std::size_t i = 0; i < engines.size(); ++i) {
            const auto begin = static_cast<std::size_t>(offsets[i]);
            const auto end = static_cast<std::size_t>(offsets[i + 1]);
            for (std::size_t at = begin; at < end; ++at) {
                CHECK(done[i] == nvjpeg::engine_none || pixels[at] == expected[at]);
                CHECK(wanted[i] >= nvjpeg::engine_hybrid || pixels[at] == 0xa5);
            }
        }
        // The engines do not keep to a stream's order: they must not touch the caller's memory.
        CHECK(!stand_in.call<int>(
            "stand_in_engines_wrote", static_cast<const unsigned char*>(pixels.data()),
            static_cast<const unsigned char*>(pixels.data() + pixels.size())));
        return done;
    }

    Bytes values, expected;
    std::vector<std::int64_t> spans, boxes, sizes, pictures, faults, lengths, offsets;
    const std::int64_t* roi = nullptr;
    std::vector<JpegEngine> engines;
    std::vector<JpegReason> reasons;
};

std::unique_ptr<BatchDecoder> open(const char* path, const nvjpeg::DecoderOptions& options) {
    std::string error;
    auto library = nvjpeg::open_library(path, &error);
    CHECK(library != nullptr);
    auto decoder = BatchDecoder::create(library, options, &error);
    CHECK(decoder != nullptr);
    return decoder;
}

using Done = std::vector<std::uint8_t>;

// Baseline of all samplings, a progressive one, one for the CPU, two that fail, a cut one.
std::vector<Kind> mixture() {
    return {{},
            {33, 17, 1},
            {17, 50, 0},
            {40, 40, 3},
            {35, 30, 2, true},
            {64, 48, 4},
            {31, 33, 2, false, true},
            {48, 31, 1},
            {40, 30, 1, true, true},
            {40, 32, 0, false, false, true},
            {90, 20, 2}};
}

void test_mixture(const char* path, const StandIn& stand_in) {
    for (const bool with_boxes : {false, true}) {
        const Job job(mixture(), with_boxes);
        for (const int library_boxes : {1, 0}) {
            stand_in.call<void>("stand_in_set", 1, library_boxes);
            for (const std::int64_t staging : {std::int64_t{1} << 20, std::int64_t{9000}}) {
                auto decoder = open(path, {0, true, 2, staging});
                CHECK(decoder->has_hardware());
                CHECK(job.run(*decoder, stand_in) == (Done{3, 3, 3, 3, 2, 0, 0, 3, 0, 0, 3}));
                CHECK(job.run(*decoder, stand_in) == (Done{3, 3, 3, 3, 2, 0, 0, 3, 0, 0, 3}));
            }
            auto decoder = open(path, {0, false, 2, 0});
            CHECK(!decoder->has_hardware());
            CHECK(job.run(*decoder, stand_in) == (Done{2, 2, 2, 2, 2, 0, 0, 2, 0, 0, 2}));
        }
        stand_in.call<void>("stand_in_set", 0, 1);
        auto decoder = open(path, {0, true, 1, 0});
        CHECK(!decoder->has_hardware());
        CHECK(job.run(*decoder, stand_in) == (Done{2, 2, 2, 2, 2, 0, 0, 2, 0, 0, 2}));
        stand_in.call<void>("stand_in_set", 1, 1);
    }
}

// Nearly all fail: halves of halves.
void test_failures(const char* path, const StandIn& stand_in) {
    std::vector<Kind> kinds(13, Kind{24, 24, 0, false, true});
    kinds[4].fails = kinds[12].fails = false;
    const Job job(kinds, false);
    auto decoder = open(path, {0, true, 1, 1 << 20});
    Done wanted(13, 0);
    wanted[4] = wanted[12] = 3;
    CHECK(job.run(*decoder, stand_in) == wanted);
    const Job none({}, false);
    CHECK(none.run(*decoder, stand_in).empty());
    decoder->close();
    CHECK(job.run(*decoder, stand_in) == Done(13, 0));
    decoder->close();
}

// Engines that are there and do not work are left alone after the first batch.
void test_broken_engines(const char* path, const StandIn& stand_in) {
    const Job job(mixture(), false);
    stand_in.call<void>("stand_in_set", 2, 1);
    auto decoder = open(path, {0, true, 2, 1 << 20});
    CHECK(decoder->has_hardware());
    long calls = 0;
    for (int round = 0; round < 3; ++round) {
        CHECK(job.run(*decoder, stand_in) == (Done{2, 2, 2, 2, 2, 0, 0, 2, 0, 0, 2}));
        const long now = stand_in.count("stand_in_hardware_calls");
        CHECK(round == 0 || now == calls);
        calls = now;
    }
    stand_in.call<void>("stand_in_set", 1, 1);
}

void test_threads(const char* path, const StandIn& stand_in, int rounds) {
    const Job first(mixture(), false), second(mixture(), true);
    auto decoder = open(path, {0, true, 2, 20000});
    std::vector<std::thread> team;
    for (int t = 0; t < 3; ++t) {
        team.emplace_back([&, t] {
            for (int round = 0; round < rounds; ++round) {
                const Job& job = (t + round) % 2 == 0 ? first : second;
                CHECK(job.run(*decoder, stand_in) == (Done{3, 3, 3, 3, 2, 0, 0, 3, 0, 0, 3}));
            }
        });
    }
    for (std::thread& thread : team) {
        thread.join();
    }
    const nvjpeg::Pools pools = decoder->pools();
    CHECK(pools.flights >= 1 && pools.flights <= 3);
    CHECK(pools.lanes >= 1 && pools.lanes <= 6);
    decoder->close();
    CHECK(decoder->pools().flights == 0 && decoder->pools().lanes == 0);
}

// What is alive does not grow with the number of batches.
void test_no_growth(const char* path, const StandIn& stand_in, int rounds) {
    const Job job(mixture(), false);
    auto decoder = open(path, {0, true, 1, 1 << 20});
    job.run(*decoder, stand_in);
    const long alive = stand_in.count("stand_in_alive");
    const long memory = emulation::allocations;
    for (int round = 0; round < rounds; ++round) {
        job.run(*decoder, stand_in);
    }
    CHECK(stand_in.count("stand_in_alive") == alive);
    CHECK(emulation::allocations == memory);
}

struct Busy {
    bool on = false;
    bool busy() const noexcept { return on; }
};

void test_pool() {
    using Pool = nvjpeg::Pool<Busy>;
    Pool pool;
    const auto use = [&](bool leave_busy) {
        Pool::Lease lease(pool, 2);
        const bool made = lease.empty();
        if (made) {
            lease.put(std::make_unique<Busy>());
        }
        lease->on = leave_busy;
        return made;
    };
    CHECK(use(true));   // a first one
    CHECK(use(true));   // which is busy: a second
    CHECK(!use(true));  // both are, and there are no more than two
    CHECK(!use(false));
    {
        Pool::Lease one(pool, 2), two(pool, 2), three(pool, 2);
        CHECK(!one.empty() && !two.empty() && three.empty());  // all taken: one beyond
    }
    int idle = 0;
    pool.visit([&](const Busy&) { ++idle; });
    CHECK(idle == 2);
}

}  // namespace

int main(int count, char** arguments) {
    CHECK(count >= 3);
    const bool brief = count > 3;
    test_pool();
    for (const bool old : {false, true}) {
        const char* path = arguments[old ? 2 : 1];
        const StandIn stand_in(path);
        test_mixture(path, stand_in);
        test_failures(path, stand_in);
        test_broken_engines(path, stand_in);
        test_threads(path, stand_in, brief ? 4 : 20);
        test_no_growth(path, stand_in, brief ? 5 : 100);
        CHECK(stand_in.count("stand_in_misuses") == 0);
        CHECK(stand_in.count("stand_in_alive") == 0);
        CHECK(emulation::allocations == 0);
    }
    return 0;
}
