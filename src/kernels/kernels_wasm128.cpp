// WebAssembly kernels with plain SIMD (simd128): sixteen lanes are four registers.
//
// Room: kernels. For modules compiled with -msimd128. Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_BASELINE_REGION_BEGIN
TERN_NAMESPACE_BEGIN
namespace wasm128 {
namespace {

// Each body builds on those before it.
// clang-format off
#include "kernels/body/wasm_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
// clang-format on

}  // namespace
}  // namespace wasm128

extern const KernelTable kWasm128Kernels;
const KernelTable kWasm128Kernels = {
    .isa = "wasm128",
    .features = kCpuWasmSimd,
    .packing = Packing::t2,
    .rms_norm = wasm128::rms_norm,
    .quantize_i8 = wasm128::quantize_i8,
    .quantize_i16 = wasm128::quantize_i16,
    .add = wasm128::add,
    .relu2_mul = wasm128::relu2_mul,
    .silu_mul = wasm128::silu_mul,
    .rope_halves = wasm128::rope_halves,
    .to_f16 = wasm128::to_f16,
    .qk_f16 = wasm128::qk_f16,
    .softmax_exp = wasm128::softmax_exp,
    .pv_f16 = wasm128::pv_f16,
    .head_rows = wasm128::head_rows,
    .all_finite = wasm128::all_finite,
};

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
#endif
