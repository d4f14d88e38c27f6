// Attention (docs/numerics.md 9): blocks of queries of several tokens, and one token's in steps.
// Included inside a kernel region, after attention_f16.inl.hpp, attention_i8.inl.hpp and
// attention_rows.inl.hpp.

static size_t attention_scratch_bytes(size_t n_tokens, size_t n_heads, size_t n_positions,
                                      size_t dim) {
  return AttentionPlan(n_tokens * n_heads, n_positions, dim).scratch_bytes();
}

static void score_block(const QueryBlock& b, size_t begin, size_t end) {
  const bool f16 = b.view.keys.type == CacheType::f16;
  if (b.view.n_tokens == 1) {
    f16 ? score_rows_f16(b, begin, end) : score_rows_i8(b, begin, end);
  } else {
    f16 ? score_block_f16(b) : score_block_i8(b);
  }
}

// The weights of a block times the values of a chunk, of those up to `last`, added to y.
static void weigh_chunk(const QueryBlock& b, size_t begin, size_t last, float* y, size_t y_stride) {
  const AttentionView& a = b.view;
  const bool f16 = a.values.type == CacheType::f16;
  const size_t end = smaller(last, begin + kChunk);
  if (a.n_tokens == 1 && !f16) {
    weigh_rows_i8(b, begin, end - begin, y);
    return;
  }
  CodeRows rows = {nullptr, 0};
  if (!f16) {
    quantize_chunk_weights(b, begin, end - begin);
    rows = code_rows(b, a.values, begin, end - begin, must_stage(a.values, a.dim));
  }
  const size_t tiles = (a.dim + kTileDims - 1) / kTileDims * (f16 ? kChunk / kPart : 1);
  const size_t steps = b.count > kTileQueries ? b.padded / kTileQueries * tiles : 1;
  RowsAhead next(a.values, a.dim, end, smaller(last, end + kChunk), steps);
  for (size_t d = 0; d < a.dim; d += kTileDims) {
    if (f16) {
      add_chunk_f16(b, begin, end, d, next, y, y_stride);
    } else {
      add_chunk_i8(b, rows, end - begin, d, next, y, y_stride);
    }
  }
}

static void attend_block(const QueryBlock& b, float* y, size_t y_stride) {
  const AttentionView& a = b.view;
  const size_t end = b.seen(b.count - 1);
  score_block(b, 0, end);
  for (size_t q = 0; q < b.count; ++q) {
    b.sums[q] = softmax_exp(b.scores + q * b.row, b.seen(q));
    float* out = b.output(y, y_stride, q);
    for (size_t d = 0; d < a.dim; ++d) out[d] = 0.0f;
  }
  for (size_t j = 0; j < end; j += kChunk) weigh_chunk(b, j, end, y, y_stride);
  for (size_t q = 0; q < b.count; ++q) {
    float* out = b.output(y, y_stride, q);
    const V inverse = v_set(1.0f / b.sums[q]);
    for (size_t d = 0; d < a.dim; d += 16) {
      v_store_any(out + d, a.dim - d, v_mul(v_load_any(out + d, a.dim - d), inverse));
    }
  }
}

// Up to so many positions of f16, a tile of keys laid out for several tokens is more work than each
// token's rows.
constexpr size_t kFewPositions = 128;

static void attend(const AttentionView& a, float* y, size_t y_stride, void* scratch) {
  if (a.n_tokens > 1 && a.keys.type == CacheType::f16 && a.position + a.n_tokens <= kFewPositions) {
    AttentionView one = a;
    one.n_tokens = 1;
    for (size_t t = 0; t < a.n_tokens; ++t, ++one.position, one.q += a.q_stride, y += y_stride) {
      attend(one, y, y_stride, scratch);
    }
    return;
  }
  const size_t n_queries = a.n_tokens * a.n_heads;
  const AttentionPlan plan(n_queries, a.position + a.n_tokens, a.dim);
  for (size_t first = 0; first < n_queries; first += plan.block()) {
    attend_block(QueryBlock(a, plan, first, scratch), y, y_stride);
  }
}

// All queries of a token, whose scores the caller keeps.
static QueryBlock token_block(const AttentionView& a, float* scores, size_t row, void* scratch) {
  QueryBlock b(a, AttentionPlan(a.n_heads, 1, a.dim), 0, scratch);
  TERN_ASSERT(a.n_tokens == 1 && b.count == a.n_heads);
  b.scores = scores;
  b.row = row;
  return b;
}

static void attend_scores(const AttentionView& a, size_t begin, size_t end, float* scores,
                          size_t row, void* scratch) {
  score_block(token_block(a, scores, row, scratch), begin, end);
}

static void attend_values(const AttentionView& a, size_t begin, size_t end, float* weights,
                          size_t row, float* parts, size_t part_stride, void* scratch) {
  const QueryBlock b = token_block(a, weights, row, scratch);
  for (size_t j = begin; j < end; j += kChunk) {
    float* part = parts + j / kChunk * part_stride;
    for (size_t i = 0; i < a.n_heads * a.dim; ++i) part[i] = 0.0f;
    weigh_chunk(b, j, end, part, 0);
  }
}

static void attend_merge(const float* parts, size_t part_stride, size_t n_parts, float sum,
                         size_t dim, float* y) {
  const V inverse = v_set(1.0f / sum);
  for (size_t d = 0; d < dim; d += 16) {
    V total = v_zero();
    for (size_t p = 0; p < n_parts; ++p) {
      total = v_add(total, v_load_any(parts + p * part_stride + d, dim - d));
    }
    v_store_any(y + d, dim - d, v_mul(total, inverse));
  }
}
