// The slots of every vector table, once. Included inside a kernel region after the bodies that
// define the functions, kTokenTile and kScratchBytes; what is not listed is inherited.

// The slots that products of integers are in; the others are those of `base`.
static constexpr KernelTable make_products_table(const char* isa, CpuFeatureMask features,
                                                 Packing packing, const KernelTable* base) {
  return {
      .isa = isa,
      .features = features,
      .base = base,
      .packing = packing,
      .token_tile = kTokenTile,
      .matrix_scratch_bytes = kScratchBytes,
      .multiply_vector = multiply_vector,
      .multiply_rows = multiply_rows,
      .multiply_columns = multiply_columns,
      .finish_columns = finish_columns,
      .packed_tokens_bytes = packed_tokens_bytes,
      .pack_tokens = pack_tokens,
      .multiply_matrix = multiply_matrix,
      .attend = attend,
      .attend_scores = attend_scores,
      .attend_values = attend_values,
      .attention_scratch_bytes = attention_scratch_bytes,
      .head_rows = head_rows,
      .plane_dots = plane_dots,
      .probe_dot = probe_dot,
  };
}

static constexpr KernelTable make_table(const char* isa, CpuFeatureMask features, Packing packing) {
  KernelTable table = make_products_table(isa, features, packing, nullptr);
  table.decode_row = decode_row;
  table.encode_row = encode_row;
  table.rms_norm = rms_norm;
  table.l2_normalize = l2_normalize;
  table.quantize_i8 = quantize_i8;
  table.quantize_i16 = quantize_i16;
  table.norm_quantize_i8 = norm_quantize_i8;
  table.norm_quantize_i16 = norm_quantize_i16;
  table.quantize_i4 = quantize_i4;
  table.norm_quantize_i4 = norm_quantize_i4;
  table.keep_largest = keep_largest;
  table.find_live_rows = find_live_rows;
  table.find_nonzero = find_nonzero;
  table.add = add;
  table.scale = scale;
  table.relu2_mul = relu2_mul;
  table.silu_mul = silu_mul;
  table.gelu_mul = gelu_mul;
  table.rope_halves = rope_halves;
  table.to_f16 = to_f16;
  table.to_i8 = to_i8;
  table.unpack_codes = unpack_codes;
  table.softmax_exp = softmax_exp;
  table.attend_merge = attend_merge;
  table.all_finite = all_finite;
  table.probe_read = probe_read;
  return table;
}
