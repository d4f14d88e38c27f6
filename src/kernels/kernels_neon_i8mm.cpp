// NEON kernels with the int8 matrix product of ARMv8.6 (smmla): those of neon_dotprod but for many
// tokens at once.
//
// Room: kernels. Server and phone processors since 2021. Bounds: as neon_dotprod. Exported symbol:
// the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_REGION_BEGIN("arch=armv8.2-a+dotprod+i8mm")
TERN_NAMESPACE_BEGIN
namespace neon_i8mm {
namespace {

// Each body builds on those before it.
// clang-format off
#include "kernels/body/neon_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
#include "kernels/body/neon_sdot.inl.hpp"
#include "kernels/body/neon_smmla_tokens.inl.hpp"
#include "kernels/body/quad_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace neon_i8mm

extern const KernelTable kNeonI8mmKernels;
const KernelTable kNeonI8mmKernels =
    neon_i8mm::make_table("neon_i8mm", kCpuNeon | kCpuDotProd | kCpuI8mm, neon_i8mm::kPacking);

TERN_NAMESPACE_END
TERN_REGION_END
#endif
