// WebAssembly kernels with relaxed SIMD: its dot product of int8.
//
// Room: kernels. For modules compiled with -msimd128 -mrelaxed-simd.
// Exported symbol: the table.
#include "kernels/tables.hpp"
#include "kernels/target_region.hpp"

#if defined(__wasm_relaxed_simd__)
#include <wasm_simd128.h>

#include "tern/base/half.hpp"
#include "tern/quant/block_codec.hpp"

TERN_BASELINE_REGION_BEGIN
TERN_NAMESPACE_BEGIN
namespace wasm_relaxed {
namespace {

// clang-format off
#include "kernels/body/wasm_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
// clang-format on

// The second factor has seven bits: what an engine makes of an eighth is its own affair. Trits have
// two, or four where they lie (kMostPlaces).
static inline I4 i4_dot_trits(I4 sum, I4 u, I4 q) {
  return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(q, u, sum);
}

// Of 2 to 4 tokens and 1 or 2 rows the fastest, by little, with node 20 on x86-64.
constexpr size_t kMostPlanes = 4;
constexpr size_t kMostPlaces = 2;
constexpr size_t kRowsAtOnce = 1;
constexpr size_t kTokenTile = 2;
constexpr size_t kPrefetchBytes = 0;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/quad_sums.inl.hpp"
#include "kernels/body/wasm_five_digits.inl.hpp"
#include "kernels/body/quad_floats.inl.hpp"
#include "kernels/body/tile_sums.inl.hpp"
#include "kernels/body/token_dots.inl.hpp"
#include "kernels/body/quad_table.inl.hpp"
// clang-format on

}  // namespace
}  // namespace wasm_relaxed

extern const KernelTable kWasmRelaxedKernels;
const KernelTable kWasmRelaxedKernels = wasm_relaxed::make_table(
    "wasm_relaxed", kCpuWasmSimd | kCpuWasmRelaxed, wasm_relaxed::kPacking);

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
#endif
