// What the CPU and the operating system offer to the kernels.
//
// Room: platform. A feature is reported only when the OS also saves its registers (XGETBV on x86),
// and never read from the environment.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tern/version.hpp"

TERN_NAMESPACE_BEGIN

/// One bit a feature; a kernel table names the set that it requires.
using CpuFeatureMask = uint32_t;

enum CpuFeature : CpuFeatureMask {
  kCpuAvx2 = 1u << 0,
  kCpuF16c = 1u << 1,
  kCpuAvxVnni = 1u << 2,
  kCpuAvx512 = 1u << 3,  ///< F, BW, DQ and VL together
  kCpuAvx512Vnni = 1u << 4,
  kCpuAvx512Vbmi = 1u << 5,
  kCpuNeon = 1u << 6,
  kCpuDotProd = 1u << 7,
  kCpuI8mm = 1u << 8,
  kCpuWasmSimd = 1u << 9,
  kCpuWasmRelaxed = 1u << 10,
};

struct CpuFeatureName {
  CpuFeature feature;
  const char* name;
};

/// Every feature with the name that `tern info` prints.
inline constexpr CpuFeatureName kCpuFeatureNames[] = {
    {kCpuAvx2, "avx2"},
    {kCpuF16c, "f16c"},
    {kCpuAvxVnni, "avxvnni"},
    {kCpuAvx512, "avx512"},
    {kCpuAvx512Vnni, "avx512vnni"},
    {kCpuAvx512Vbmi, "avx512vbmi"},
    {kCpuNeon, "neon"},
    {kCpuDotProd, "dotprod"},
    {kCpuI8mm, "i8mm"},
    {kCpuWasmSimd, "simd128"},
    {kCpuWasmRelaxed, "relaxed-simd"},
};

/// Asks the CPU and the OS. Cost: a few CPUID instructions; nothing is cached.
CpuFeatureMask detect_cpu_features();

/// Logical processors that this process may run on, at least 1.
size_t available_processors();

TERN_NAMESPACE_END
