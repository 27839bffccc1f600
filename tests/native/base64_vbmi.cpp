// Runs cpu_avx512_vbmi.cpp, its intrinsics emulated, against the tables, on random text with
// faults at random places. Exit status 0 when they agree.
#include <cstdio>
#include <random>
#include <vector>

#include "kernels/base64_decode/alphabet.h"
#include "kernels/base64_decode/blocks.h"

namespace {

using refpix::base64::values;

std::mt19937 generator(0);

int below(int n) {
    return static_cast<int>(generator() % static_cast<unsigned>(n));
}

std::uint8_t random_data() {
    for (;;) {
        const int c = below(128);
        if (values.of[c] < 64) {
            return static_cast<std::uint8_t>(c);
        }
    }
}

int fail(const char* what, int round) {
    std::fprintf(stderr, "round %d: %s\n", round, what);
    return 1;
}

// One text: `odd` bytes of any value among characters of both alphabets.
int check(int round, int length, int odd, int room) {
    std::vector<std::uint8_t> text(static_cast<std::size_t>(length));
    for (auto& c : text) {
        c = random_data();
    }
    for (int i = 0; i < odd && length > 0; ++i) {
        text[static_cast<std::size_t>(below(length))] = static_cast<std::uint8_t>(below(256));
    }
    std::int64_t clean = 0;
    while (clean < length && values.of[text[static_cast<std::size_t>(clean)]] < 64) {
        ++clean;
    }
    const std::vector<std::uint8_t> untouched(64, 0xee);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(room), 0);
    out.insert(out.end(), untouched.begin(), untouched.end());
    const std::int64_t taken =
        refpix::base64::avx512_vbmi::blocks(text.data(), length, out.data(), room);

    // All whole blocks of the clean start that leave room for a whole store.
    std::int64_t expected = 0;
    while (expected + 64 <= clean && expected / 4 * 3 + 64 <= room) {
        expected += 64;
    }
    if (taken != expected) {
        return fail("took another number of characters", round);
    }
    if (std::vector<std::uint8_t>(out.end() - 64, out.end()) != untouched) {
        return fail("wrote behind the output", round);
    }
    for (std::int64_t i = 0; i < taken; i += 4) {
        const auto* c = text.data() + i;
        const unsigned group = static_cast<unsigned>(values.of[c[0]]) << 18 |
                               static_cast<unsigned>(values.of[c[1]]) << 12 |
                               static_cast<unsigned>(values.of[c[2]]) << 6 | values.of[c[3]];
        const auto* bytes = out.data() + i / 4 * 3;
        if ((static_cast<unsigned>(bytes[0]) << 16 | static_cast<unsigned>(bytes[1]) << 8 |
             bytes[2]) != group) {
            return fail("decoded to other bytes", round);
        }
    }
    return 0;
}

}  // namespace

int main() {
    for (int round = 0; round < 20000; ++round) {
        const int length = below(600);
        const int room = below(3) == 0 ? below(length + 1) : length / 4 * 3 + 64;
        if (check(round, length, below(4) / 2 * below(4), room) != 0) {
            return 1;
        }
    }
    std::puts("agreed");
    return 0;
}
