// Which instruction set the kernels use: the best of the machine, unless told otherwise.
#pragma once

namespace refpix {

enum class Isa : int {
    scalar = 0,
    avx2 = 1,         // AVX2, BMI2, FMA, F16C
    avx512 = 2,       // and AVX-512 F, BW, DQ, VL, VNNI
    avx512_vbmi = 3,  // and AVX-512 VBMI
};

// Chosen once at load: the machine's best, capped by the environment variable REFPIX_ISA.
Isa active_isa() noexcept;
Isa machine_isa() noexcept;

// For tests and benches, process-wide. False when the machine lacks it.
bool set_isa(Isa isa) noexcept;

const char* isa_name(Isa isa) noexcept;
bool isa_from_name(const char* name, Isa* isa) noexcept;

}  // namespace refpix
