// NEON kernels of AArch64's baseline: sixteen lanes are four registers.
//
// Room: kernels. What every 64-bit ARM processor has. smlal adds products of bytes to 16-bit lanes:
//
//     lane 4i + c of a register's half:  sum of u[row][c] * q[c], its two rows one behind the other
//
// Bound: a product is at most 3 * 127 = 381 with code 3; 86 of them (32766) are added in 16 bits
// before they are widened to 32 (21 where u is multiplied in its place, times 4), where
// docs/numerics.md 4.4 keeps the end in range. Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_BASELINE_REGION_BEGIN
TERN_NAMESPACE_BEGIN
namespace neon {
namespace {

// clang-format off
#include "kernels/body/neon_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
// clang-format on

// Sums in 16 bits, one a byte: those of the lower eight bytes of a register and of the upper.
struct ByteSums {
  int16x8_t low, high;
};
struct VS {
  ByteSums a, b, c, d;
};
constexpr size_t kDotsInSum = 86;
constexpr size_t kSharedRows = 1;

static inline VS vs_zero() {
  const ByteSums zero = {vdupq_n_s16(0), vdupq_n_s16(0)};
  return {zero, zero, zero, zero};
}
static inline ByteSums multiply_add(ByteSums sums, I4 u, I4 q) {
  return {vmlal_s8(sums.low, vget_low_s8(as_bytes(u)), vget_low_s8(as_bytes(q))),
          vmlal_high_s8(sums.high, as_bytes(u), as_bytes(q))};
}
static inline VS vs_dot(VS s, VB u, VB q) {
  return {multiply_add(s.a, u.a, q.a), multiply_add(s.b, u.b, q.b), multiply_add(s.c, u.c, q.c),
          multiply_add(s.d, u.d, q.d)};
}
static inline I4 sums_of_four(ByteSums sums) {
  return vpaddq_s32(vpaddlq_s16(sums.low), vpaddlq_s16(sums.high));
}
static inline void vs_settle(VS*) {}
static inline VI vi_add_sums(VI v, VS s) {
  return vi_add(v, {sums_of_four(s.a), sums_of_four(s.b), sums_of_four(s.c), sums_of_four(s.d)});
}

// A pair of products of any int8 and a code is at most 2 * 128 * 127 = 32512.
static inline I4 i4_dot_bytes(I4 sum, I4 a, I4 b) {
  const int16x8_t low = vmull_s8(vget_low_s8(as_bytes(a)), vget_low_s8(as_bytes(b)));
  const int16x8_t high = vmull_high_s8(as_bytes(a), as_bytes(b));
  return vpadalq_s16(sum, vpaddq_s16(low, high));
}

constexpr size_t kMostPlanes = 2;  // 2 VS are 16 of 32 registers
constexpr size_t kMostPlaces = 2;
constexpr size_t kRowsAtOnce = 1;
constexpr size_t kTokenTile = 2;
constexpr size_t kPrefetchBytes = 1024;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/neon_five_digits.inl.hpp"
#include "kernels/body/quad_floats.inl.hpp"
#include "kernels/body/tile_sums.inl.hpp"
#include "kernels/body/token_dots.inl.hpp"
#include "kernels/body/quad_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace neon

extern const KernelTable kNeonKernels;
const KernelTable kNeonKernels = neon::make_table("neon", kCpuNeon, neon::kPacking);

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
#endif
