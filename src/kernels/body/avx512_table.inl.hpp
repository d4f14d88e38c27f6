// Everything that the two AVX-512 tables have in common: all of it but how five trits of a byte are
// decoded. Included inside an AVX-512 region, after the body that defines FiveTrits.

// Each body builds on those before it.
// clang-format off
#include "kernels/body/float_constants.inl.hpp"
#include "kernels/body/avx512_lanes.inl.hpp"
#include "kernels/body/vector_float.inl.hpp"
#include "kernels/body/attention_blocks.inl.hpp"
#include "kernels/body/attention_f16.inl.hpp"
#include "kernels/body/attention_i8.inl.hpp"
#include "kernels/body/attention.inl.hpp"
#include "kernels/body/vector_head.inl.hpp"
#include "kernels/body/head_q6_k_words.inl.hpp"
#include "kernels/body/head_rows.inl.hpp"
#include "kernels/body/stored_rows.inl.hpp"
#include "kernels/body/avx512_vector.inl.hpp"
#include "kernels/body/avx512_rows.inl.hpp"
#include "kernels/body/avx512_columns.inl.hpp"
#include "kernels/body/avx512_skipping.inl.hpp"
#include "kernels/body/avx512_unpack.inl.hpp"
#include "kernels/body/avx512_matrix.inl.hpp"
// clang-format on

constexpr CpuFeatureMask kFeatures = kCpuAvx2 | kCpuF16c | kCpuAvx512 | kCpuAvx512Vnni;

static constexpr KernelTable make_table(CpuFeatureMask features, Packing packing) {
  return {
      .isa = "avx512vnni",
      .features = features,
      .packing = packing,
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
