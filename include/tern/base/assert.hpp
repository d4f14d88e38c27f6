// TERN_ASSERT: a check of tern's own invariants, in debug builds only.
//
// Room: base. Bad input is never asserted on; it gives a Status (tern/base/status.hpp).
#pragma once

#if defined(NDEBUG) && !defined(TERN_FORCE_ASSERT)
#define TERN_ASSERT(condition) static_cast<void>(sizeof(condition))
#else
#define TERN_ASSERT(condition)          \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (false)
#endif

/// For helpers that must vanish into their caller: kernels may emit no weak symbols.
#define TERN_ALWAYS_INLINE inline __attribute__((always_inline))
