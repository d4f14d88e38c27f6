// NEON kernels of AArch64's baseline: sixteen lanes are four registers.
//
// Room: kernels. What every 64-bit ARM processor has. Exported symbol: the table.
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

// Each body builds on those before it.
// clang-format off
#include "kernels/body/neon_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
// clang-format on

}  // namespace
}  // namespace neon

extern const KernelTable kNeonKernels;
const KernelTable kNeonKernels = {
    .isa = "neon",
    .features = kCpuNeon,
    .packing = Packing::t2,
    .rms_norm = neon::rms_norm,
    .quantize_i8 = neon::quantize_i8,
    .quantize_i16 = neon::quantize_i16,
    .add = neon::add,
    .relu2_mul = neon::relu2_mul,
    .silu_mul = neon::silu_mul,
    .rope_halves = neon::rope_halves,
    .to_f16 = neon::to_f16,
    .qk_f16 = neon::qk_f16,
    .softmax_exp = neon::softmax_exp,
    .pv_f16 = neon::pv_f16,
    .head_rows = neon::head_rows,
    .all_finite = neon::all_finite,
};

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
#endif
