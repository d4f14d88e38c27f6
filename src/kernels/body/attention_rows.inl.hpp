// The queries of one token over a range of positions (docs/numerics.md 9.2, 9.4): rows are read as
// they lie, since so few queries do not pay for tiles. Included inside a kernel region, after
// attention_f16.inl.hpp, attention_i8.inl.hpp, what kReadsPacked promises, and the loops over rows,
// which are attention_row_loops.inl.hpp or a table's own:
//
// clang-format off
//   ByteRows                how a kind of rows is read: kKeyMore and kValueMore, what its codes are more
//   NibbleRows ThreeBitRows than they mean
//   arrange_queries(b)      the queries' codes in the order that score_run_i8 wants
//   score_run_i8<Rows>(b, q0, rows, n, units, n_units, scores)
//                           scores of kRowQueries queries, or of those that are left, over rows [n],
//                           n a multiple of 16; units [n_units] of those that exist
//   sum_rows_i8<Rows>(words, rows, n, piece, n_queries, sum)
//                           sum[kRowQueries][kTileVectors] += those queries' weights times a piece of
//                           kTileDims dims of rows [n], in the order of pairs; of an odd n the weight
//                           behind the last is zero
// clang-format on

// Whether rows must be staged: those of 128 dims a table may read as they are packed.
static inline bool is_staged(const CacheView& cache, size_t dim) {
  return must_stage(cache, dim) && (!kReadsPacked || dim != 128);
}
// So many rows at `begin` are staged all the same, `most` if the first of them is packed otherwise.
static inline size_t staged_rows(const CacheView& cache, size_t begin, size_t n, size_t most) {
  return begin == 0 && cache.first != nullptr ? smaller(n, most) : 0;
}

// All queries over the positions [begin, begin + n) of one chunk. The last ones, fewer than
// sixteen, are moved to where sixteen may be read.
template <typename Rows>
static void score_chunk_i8(const QueryBlock& b, CodeRows rows, size_t begin, size_t n) {
  const size_t whole = n / 16 * 16;
  const size_t bytes = cache_row_bytes(b.view.keys.type, b.view.dim);
  const uint16_t* units = b.view.keys.scales + begin;
  for (size_t q = 0; q < b.count; q += kRowQueries) {
    float* scores = b.scores + q * b.row + begin;
    score_run_i8<Rows>(b, q, rows, whole, units, whole, scores);
    if (whole == n) continue;
    const int8_t* last = rows.data + whole * rows.stride;
    const bool in_stage = rows.data == b.stage;
    for (size_t j = whole; j < n && !in_stage; ++j, last += rows.stride) {
      __builtin_memcpy(b.stage + (j - whole) * b.dim, last, bytes);
    }
    score_run_i8<Rows>(b, q, {in_stage ? last : b.stage, b.dim}, 16, units + whole, n - whole,
                       scores + whole);
  }
}

// The sums of queries [q, end) in the order of pairs, of codes that are `more` more than they mean,
// added to y. One function for all kinds of rows.
[[gnu::noinline]] static void add_queries_i8(const QueryBlock& b, size_t q, size_t end,
                                             int32_t more, VI* sum, size_t d, float* y) {
  for (size_t i = q; i < end; ++i) {
    VI* s = sum + (i - q) * kTileVectors;
    vi_sort_pairs(s);
    for (size_t v = 0; v < kTileVectors; ++v) s[v] = vi_sub(s[v], vi_set(more * b.totals[i]));
  }
  add_sums_i8(b, q, end, sum, d, y, 0);
}

// Rows [n] of a chunk, of which the first n_staged, an even number or all, are bytes, kValueMore
// more than they are like the others.
template <typename Rows>
static void add_rows_i8(const QueryBlock& b, const CodeRows& staged, size_t n_staged,
                        const CodeRows& rows, size_t n, float* y) {
  for (size_t d = 0; d < b.view.dim; d += kTileDims) {
    for (size_t q = 0; q < b.count; q += kRowQueries) {
      const int16_t* words = b.words + q * kChunk;
      const size_t end = smaller(q + kRowQueries, b.count);
      VI sum[kRowQueries * kTileVectors];
#pragma GCC unroll 16
      for (size_t s = 0; s < kRowQueries * kTileVectors; ++s) sum[s] = vi_zero();
      if (n_staged != 0)
        sum_rows_i8<ByteRows>(words, staged, n_staged, d / kTileDims, end - q, sum);
      const CodeRows others = {rows.data + n_staged * rows.stride, rows.stride};
      if (n != n_staged) {
        sum_rows_i8<Rows>(words + n_staged, others, n - n_staged, d / kTileDims, end - q, sum);
      }
      add_queries_i8(b, q, end, Rows::kValueMore, sum, d, y);
    }
  }
}

// The same of packed rows: the staged ones are made like them.
template <typename Rows>
static void add_packed_rows(const QueryBlock& b, const CodeRows& staged, size_t n_staged,
                            const CodeRows& rows, size_t n, float* y) {
  for (size_t i = 0; i < n_staged * b.dim; ++i) {
    b.stage[i] = static_cast<int8_t>(b.stage[i] + Rows::kValueMore);
  }
  add_rows_i8<Rows>(b, staged, n_staged, rows, n, y);
}

// Scores of one token over positions [begin, end).
static void score_rows_i8(const QueryBlock& b, size_t begin, size_t end) {
  const CacheView& keys = b.view.keys;
  quantize_queries(b);
  arrange_queries(b);
  for (size_t j = begin; j < end; j += kChunk) {
    const size_t n = smaller(end - j, kChunk);
    const bool staged = is_staged(keys, b.view.dim);
    if constexpr (kReadsPacked) {
      if (!staged && is_packed(keys.type)) {
        const size_t lead = staged_rows(keys, j, n, 16);
        if (lead != 0) score_chunk_i8<ByteRows>(b, code_rows(b, keys, j, lead, true), j, lead);
        if (lead == n) continue;
        const CodeRows rows = code_rows(b, keys, j + lead, n - lead, false);
        if (keys.type == CacheType::i4) {
          score_chunk_i8<NibbleRows>(b, rows, j + lead, n - lead);
        } else {
          score_chunk_i8<ThreeBitRows>(b, rows, j + lead, n - lead);
        }
        continue;
      }
    }
    const CodeRows rows = code_rows(b, keys, j, n, staged);
    score_chunk_i8<ByteRows>(b, rows, j, n);
  }
}

// One token's weights times the values of a chunk's n positions from `begin` on, added to y.
static void weigh_rows_i8(const QueryBlock& b, size_t begin, size_t n, float* y) {
  const CacheView& values = b.view.values;
  const bool staged = is_staged(values, b.view.dim);
  const CodeRows rows = code_rows(b, values, begin, n, staged);
  quantize_chunk_weights(b, begin, n);
  if constexpr (kReadsPacked) {
    if (!staged && is_packed(values.type)) {
      const size_t lead = staged_rows(values, begin, n, 2);
      const CodeRows bytes = lead != 0 ? code_rows(b, values, begin, lead, true) : rows;
      if (values.type == CacheType::i4) {
        add_packed_rows<NibbleRows>(b, bytes, lead, rows, n, y);
      } else {
        add_packed_rows<ThreeBitRows>(b, bytes, lead, rows, n, y);
      }
      return;
    }
  }
  add_rows_i8<ByteRows>(b, rows, 0, rows, n, y);
}
