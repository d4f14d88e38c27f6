// NEON kernels with the int8 dot product of ARMv8.2 (sdot).
//
// Room: kernels. Most 64-bit ARM processors since 2018.
// Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_REGION_BEGIN("arch=armv8.2-a+dotprod")
TERN_NAMESPACE_BEGIN
namespace neon_dotprod {
namespace {

// clang-format off
#include "kernels/body/neon_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
// clang-format on

static inline I4 i4_dot_bytes(I4 sum, I4 a, I4 b) {
  return vdotq_s32(sum, as_bytes(a), as_bytes(b));
}

// Sums in 32 bits: there is no end to them.
using VS = VI;
constexpr size_t kDotsInSum = 65536;
constexpr size_t kMostPlaces = 2;  // bytes are signed: 16 * u would do, 64 * u would not

static inline VS vs_zero() { return vi_zero(); }
static inline VI vi_add_sums(VI v, VS s) { return vi_add(v, s); }
static inline VS vs_dot(VS s, VB u, VB q) {
  return {i4_dot_bytes(s.a, u.a, q.a), i4_dot_bytes(s.b, u.b, q.b), i4_dot_bytes(s.c, u.c, q.c),
          i4_dot_bytes(s.d, u.d, q.d)};
}

constexpr size_t kRowsAtOnce = 2;
constexpr size_t kTokenTile = 6;
constexpr size_t kPrefetchBytes = 1024;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/quad_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/trit_digits.inl.hpp"
#include "kernels/body/neon_sdot_tiles.inl.hpp"
#include "kernels/body/quad_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace neon_dotprod

extern const KernelTable kNeonDotprodKernels;
const KernelTable kNeonDotprodKernels =
    neon_dotprod::make_table("neon_dotprod", kCpuNeon | kCpuDotProd);

TERN_NAMESPACE_END
TERN_REGION_END
#endif
