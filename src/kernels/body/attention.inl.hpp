// Attention (docs/numerics.md 9) over blocks of queries. Included inside a kernel region, after
// attention_f16.inl.hpp and attention_i8.inl.hpp.

static size_t attention_scratch_bytes(size_t n_tokens, size_t n_heads, size_t n_positions,
                                      size_t dim) {
  return AttentionPlan(n_tokens * n_heads, n_positions, dim).scratch_bytes();
}

static void attend_block(const QueryBlock& b, float* y, size_t y_stride) {
  const AttentionView& a = b.view;
  const bool f16 = a.keys.type == CacheType::f16;
  if (f16) {
    score_block_f16(b);
  } else {
    score_block_i8(b);
  }
  for (size_t q = 0; q < b.count; ++q) {
    b.sums[q] = softmax_exp(b.scores + q * b.row, b.seen(q));
    float* out = b.output(y, y_stride, q);
    for (size_t d = 0; d < a.dim; ++d) out[d] = 0.0f;
  }
  const size_t end = b.seen(b.count - 1);
  for (size_t j = 0; j < end; j += kChunk) {
    const size_t chunk_end = smaller(end, j + kChunk);
    if (!f16) quantize_chunk_weights(b, j, chunk_end - j);
    const size_t tiles = (a.dim + kTileDims - 1) / kTileDims * (f16 ? kChunk / kPart : 1);
    const size_t steps = b.count > kTileQueries ? b.padded / kTileQueries * tiles : 1;
    RowsAhead next(a.values, a.dim, chunk_end, smaller(end, chunk_end + kChunk), steps);
    for (size_t d = 0; d < a.dim; d += kTileDims) {
      if (f16) {
        add_chunk_f16(b, j, chunk_end, d, next, y, y_stride);
      } else {
        add_chunk_i8(b, j, chunk_end, d, next, y, y_stride);
      }
    }
  }
  for (size_t q = 0; q < b.count; ++q) {
    float* out = b.output(y, y_stride, q);
    const V inverse = v_set(1.0f / b.sums[q]);
    for (size_t d = 0; d < a.dim; d += 16) {
      v_store_any(out + d, a.dim - d, v_mul(v_load_any(out + d, a.dim - d), inverse));
    }
  }
}

static void attend(const AttentionView& a, float* y, size_t y_stride, void* scratch) {
  const size_t n_queries = a.n_tokens * a.n_heads;
  const AttentionPlan plan(n_queries, a.position + a.n_tokens, a.dim);
  for (size_t first = 0; first < n_queries; first += plan.block()) {
    attend_block(QueryBlock(a, plan, first, scratch), y, y_stride);
  }
}
