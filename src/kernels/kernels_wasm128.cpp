// WebAssembly kernels with plain SIMD (simd128): sixteen lanes are four registers.
//
// Room: kernels. For modules compiled with -msimd128.
// Exported symbol: the table.
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

// clang-format off
#include "kernels/body/wasm_primitives.inl.hpp"
#include "kernels/body/quad_vectors.inl.hpp"
// clang-format on

// u is not negative, so its bytes of even number need no sign.
static inline I4 i4_dot_trits(I4 sum, I4 u, I4 q) {
  const I4 u_even = wasm_v128_and(u, wasm_i16x8_const_splat(0xFF)), u_odd = wasm_u16x8_shr(u, 8);
  return i4_dot_words(i4_dot_words(sum, u_even, even_bytes(q)), u_odd, odd_bytes(q));
}

// Of 2 to 4 tokens and 1 or 2 rows the fastest, by little, with node 20 on x86-64.
constexpr size_t kMostPlanes = 4;
constexpr size_t kMostPlaces = 2;
constexpr size_t kRowsAtOnce = 2;
constexpr size_t kTokenTile = 4;
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
}  // namespace wasm128

extern const KernelTable kWasm128Kernels;
const KernelTable kWasm128Kernels = wasm128::make_table("wasm128", kCpuWasmSimd, wasm128::kPacking);

TERN_NAMESPACE_END
TERN_BASELINE_REGION_END
#endif
