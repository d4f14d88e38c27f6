// NEON kernels with the int8 dot product of ARMv8.2 (sdot).
//
// Room: kernels. Most 64-bit ARM processors since 2018. A register holds four rows of a tile, four
// neighbouring columns each, and one sdot multiplies them by four activations, a 32-bit lane of
// another register:
//
//     lane r:  acc[r] += u[r][c]*q[c] + u[r][c+1]*q[c+1] + u[r][c+2]*q[c+2] + u[r][c+3]*q[c+3]
//
// Bounds: int32 sums, kept in range by docs/numerics.md 4.4. Exported symbol: the table.
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

// Each body builds on those before it.
// clang-format off
#include "kernels/body/neon_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
#include "kernels/body/neon_sdot.inl.hpp"
#include "kernels/body/neon_sdot_tokens.inl.hpp"
#include "kernels/body/quad_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace neon_dotprod

extern const KernelTable kNeonDotprodKernels;
const KernelTable kNeonDotprodKernels =
    neon_dotprod::make_table("neon_dotprod", kCpuNeon | kCpuDotProd, neon_dotprod::kPacking);

TERN_NAMESPACE_END
TERN_REGION_END
#endif
