// The rest of every table whose registers have 16 bytes: the bodies behind its sums over tiles, and
// the table. Included inside its region after quad_floats.inl.hpp, accumulate and column_sum
// (tile_sums.inl.hpp or by hand), dot_tokens (token_dots.inl.hpp or by hand) and kRowsAtOnce.

// Each body builds on those before it.
// clang-format off
#include "kernels/body/vector_product.inl.hpp"
#include "kernels/body/row_product.inl.hpp"
#include "kernels/body/column_product.inl.hpp"
#include "kernels/body/live_lists.inl.hpp"
#include "kernels/body/unit_bytes.inl.hpp"
#include "kernels/body/matrix_product.inl.hpp"
#include "kernels/body/probes.inl.hpp"
// clang-format on

// T2: with sdot a block of 16 columns takes 43 instructions, one of T5's 20 columns 82; with node
// 20 on x86-64 T5 takes twice the time of T2 from cache. On ARM nothing but instructions was
// counted.
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
