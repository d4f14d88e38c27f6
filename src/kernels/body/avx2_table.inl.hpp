// Everything that the tables of 256-bit registers have in common: all of it but the dot products.
// Included inside their regions after those.

constexpr size_t kMostPlanes = 4;  // 4 VS are 8 of 16 registers
constexpr size_t kRowsAtOnce = 2;  // their sums and digits are 8 of 16 registers
constexpr size_t kTokenTile = 6;   // 6 VS are 12 of 16 registers
constexpr size_t kPrefetchBytes = 8192;

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx2_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/five_compare.inl.hpp"
#include "kernels/body/trit_digits.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/avx2_head_q6_k.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/tile_sums.inl.hpp"
#include "kernels/body/vector_product.inl.hpp"
#include "kernels/body/row_product.inl.hpp"
#include "kernels/body/column_product.inl.hpp"
#include "kernels/body/live_lists.inl.hpp"
#include "kernels/body/unit_bytes.inl.hpp"
#include "kernels/body/token_dots.inl.hpp"
#include "kernels/body/matrix_product.inl.hpp"
#include "kernels/body/probes.inl.hpp"
// clang-format on

static constexpr KernelTable make_table(const char* isa, CpuFeatureMask features) {
  return {
      .isa = isa,
      .features = features,
      .packing = Packing::t2,
      .token_tile = kTokenTile,
      .matrix_scratch_bytes = kScratchBytes,
      .decode_row = decode_row,
      .encode_row = encode_row,
      .rms_norm = rms_norm,
      .quantize_i8 = quantize_i8,
      .quantize_i16 = quantize_i16,
      .norm_quantize_i8 = norm_quantize_i8,
      .multiply_vector = multiply_vector,
      .multiply_rows = multiply_rows,
      .multiply_columns = multiply_columns,
      .finish_columns = finish_columns,
      .find_live_rows = find_live_rows,
      .find_nonzero = find_nonzero,
      .packed_tokens_bytes = packed_tokens_bytes,
      .pack_tokens = pack_tokens,
      .multiply_matrix = multiply_matrix,
      .add = add,
      .relu2_mul = relu2_mul,
      .silu_mul = silu_mul,
      .rope_halves = rope_halves,
      .to_f16 = to_f16,
      .to_i8 = to_i8,
      .qk_f16 = qk_f16,
      .softmax_exp = softmax_exp,
      .pv_f16 = pv_f16,
      .attend = attend,
      .attention_scratch_bytes = attention_scratch_bytes,
      .head_rows = head_rows,
      .all_finite = all_finite,
      .probe_read = probe_read,
      .probe_dot = probe_dot,
  };
}
