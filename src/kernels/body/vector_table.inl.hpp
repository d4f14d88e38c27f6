// The slots of every vector table, once: a slot that is added here is added to all of them.
// Included inside a kernel region after the bodies that define the functions, kTokenTile and
// kScratchBytes; what is not listed is inherited from `scalar`.

static constexpr KernelTable make_table(const char* isa, CpuFeatureMask features, Packing packing) {
  return {
      .isa = isa,
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
