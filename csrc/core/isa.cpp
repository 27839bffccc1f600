#include "core/isa.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace refpix {
namespace {

constexpr const char* names[] = {"scalar", "avx2", "avx512", "avx512_vbmi"};

Isa detect() noexcept {
#if defined(REFPIX_X86)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
        !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c")) {
        return Isa::scalar;
    }
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512vnni")) {
        return Isa::avx2;
    }
    return __builtin_cpu_supports("avx512vbmi") ? Isa::avx512_vbmi : Isa::avx512;
#else
    return Isa::scalar;
#endif
}

Isa initial() noexcept {
    const Isa best = machine_isa();
    Isa wanted;
    const char* forced = std::getenv("REFPIX_ISA");
    if (forced != nullptr && isa_from_name(forced, &wanted) && wanted < best) {
        return wanted;
    }
    return best;
}

std::atomic<Isa>& current() noexcept {
    static std::atomic<Isa> isa{initial()};
    return isa;
}

}  // namespace

Isa machine_isa() noexcept {
    static const Isa isa = detect();
    return isa;
}

Isa active_isa() noexcept {
    return current().load(std::memory_order_relaxed);
}

bool set_isa(Isa isa) noexcept {
    if (isa > machine_isa()) {
        return false;
    }
    current().store(isa, std::memory_order_relaxed);
    return true;
}

const char* isa_name(Isa isa) noexcept {
    return names[static_cast<int>(isa)];
}

bool isa_from_name(const char* name, Isa* isa) noexcept {
    for (int i = 0; i < 4; ++i) {
        if (std::strcmp(name, names[i]) == 0) {
            *isa = static_cast<Isa>(i);
            return true;
        }
    }
    return false;
}

}  // namespace refpix
