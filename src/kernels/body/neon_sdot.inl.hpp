// The dot product of ARMv8.2 for the tables that have it: signed bytes, so trits need no care.
// Included inside their regions after quad_vectors.inl.hpp.

static inline I4 i4_dot_bytes(I4 sum, I4 a, I4 b) {
  return vdotq_s32(sum, as_bytes(a), as_bytes(b));
}
static inline I4 i4_dot_trits(I4 sum, I4 u, I4 q) { return i4_dot_bytes(sum, u, q); }

constexpr size_t kRowsAtOnce = 2;  // sums, digits and what they come from: 24 of 32 registers
constexpr size_t kMostPlaces = 2;  // bytes are signed: 16 * u would do, 64 * u would not
constexpr size_t kPrefetchBytes = 1024;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/quad_sums.inl.hpp"
#include "kernels/body/neon_five_digits.inl.hpp"
#include "kernels/body/quad_floats.inl.hpp"
#include "kernels/body/neon_sdot_tiles.inl.hpp"
// clang-format on
