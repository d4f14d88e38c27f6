// Compiler target regions: instructions beyond the baseline inside one file, without -m flags.
//
// Room: kernels. TERN_REGION_BEGIN(features) opens a region in which functions may use the named
// instructions; TERN_REGION_END closes it. Contraction of a * b + c into a fused operation is off
// inside: it would change bits. Rules inside a region: no #include but of body/*.inl.hpp, no std::
// calls, no lambdas, no non-constexpr statics, every helper `static inline` (docs/adr/0001).
#pragma once

#include <float.h>

#if defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
    (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error "tern's kernels need exact float arithmetic: compile src/kernels without -ffast-math"
#endif
// The x87 unit of 32-bit x86 keeps more bits than a float has: use SSE2 (-msse2 -mfpmath=sse).
#if FLT_EVAL_METHOD != 0
#error "tern's kernels need float arithmetic that rounds every operation to its type"
#endif

#define TERN_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
// Lists of features are spelt alike by both compilers, ARM's "arch=...+..." by clang 16 and later.
#define TERN_REGION_BEGIN(features)                                                         \
  TERN_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function)) \
  TERN_PRAGMA(clang fp contract(off) reassociate(off))
#define TERN_REGION_END TERN_PRAGMA(clang attribute pop)
#define TERN_BASELINE_REGION_BEGIN TERN_PRAGMA(clang fp contract(off) reassociate(off))
#define TERN_BASELINE_REGION_END
#else
// GCC 12 gives the sums of an unrolled loop two registers each when it merges variables early, and
// spills them.
// On ARM its scheduling before registers are allocated hoists loads until the sums no
// longer fit; on x86 that is off anyway.
#define TERN_OPTIMIZE \
  TERN_PRAGMA(GCC optimize("fp-contract=off", "no-tree-coalesce-vars", "no-schedule-insns"))
#define TERN_REGION_BEGIN(features) \
  TERN_PRAGMA(GCC push_options)     \
  TERN_OPTIMIZE                     \
  TERN_PRAGMA(GCC target(features))
#define TERN_REGION_END TERN_PRAGMA(GCC pop_options)
#define TERN_BASELINE_REGION_BEGIN \
  TERN_PRAGMA(GCC push_options)    \
  TERN_OPTIMIZE
#define TERN_BASELINE_REGION_END TERN_PRAGMA(GCC pop_options)
#endif
