// Scores and values of a block of queries over a binary16 cache (docs/numerics.md 9.2, 9.4).
// Included inside a kernel region, after attention_blocks.inl.hpp.
//
// A score is the tree over sixteen chains: element i of a key goes to chain i mod 16. With
// positions in lanes each chain is a vector of its own; the first products start the chains, since
// +0.0 would only change the sign of a zero, which exp of a difference does not see.

// Keys [begin, begin + n), as many as fit, as floats [dim][kKeyBlock]; missing positions are the
// last one.
static void transpose_keys_f16(const CacheView& keys, size_t begin, size_t n, size_t dim,
                               float* tile) {
  const auto* data = static_cast<const uint16_t*>(keys.data) + begin * keys.stride;
  for (size_t v = 0; v < kKeyVectors; ++v) {
    for (size_t d = 0; d < dim; d += 16) {
      VI rows[16];
#pragma GCC unroll 16
      for (size_t j = 0; j < 16; ++j) {
        const uint16_t* key = data + smaller(16 * v + j, n - 1) * keys.stride + d;
        if (dim - d >= 16) rows[j] = v_bits(v_load_f16(key));
      }
      for (size_t j = 0; j < 16 && dim - d < 16; ++j) {
        const uint16_t* key = data + smaller(16 * v + j, n - 1) * keys.stride + d;
        rows[j] = v_bits(v_load_f16_n(key, dim - d));
      }
      vi_transpose16(rows);
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; ++i) {
        v_store(tile + (d + i) * kKeyBlock + 16 * v, v_of_bits(rows[i]));
      }
    }
  }
}

// Chains p and p + 8 of a tile, added: lanes [kTileQueries][kKeyVectors].
static inline void chain_pair(const float* queries, size_t query_stride, const float* tile,
                              size_t dim, size_t p, V* sum) {
  V even[kTileQueries * kKeyVectors];
  V odd[kTileQueries * kKeyVectors];
#pragma GCC unroll 8
  for (size_t q = 0; q < kTileQueries; ++q) {
    const V weight = v_set(queries[q * query_stride + p]);
    const V weight8 = v_set(queries[q * query_stride + p + 8]);
#pragma GCC unroll 4
    for (size_t v = 0; v < kKeyVectors; ++v) {
      even[q * kKeyVectors + v] = v_mul(weight, v_load(tile + p * kKeyBlock + 16 * v));
      odd[q * kKeyVectors + v] = v_mul(weight8, v_load(tile + (p + 8) * kKeyBlock + 16 * v));
    }
  }
  for (size_t i = p + 16; i < dim; i += 16) {
    V key[kKeyVectors];
    V key8[kKeyVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kKeyVectors; ++v) {
      key[v] = v_load(tile + i * kKeyBlock + 16 * v);
      key8[v] = v_load(tile + (i + 8) * kKeyBlock + 16 * v);
    }
#pragma GCC unroll 8
    for (size_t q = 0; q < kTileQueries; ++q) {
      const V weight = v_set(queries[q * query_stride + i]);
      const V weight8 = v_set(queries[q * query_stride + i + 8]);
#pragma GCC unroll 4
      for (size_t v = 0; v < kKeyVectors; ++v) {
        V& a = even[q * kKeyVectors + v];
        V& b = odd[q * kKeyVectors + v];
        a = v_add(a, v_mul(weight, key[v]));
        b = v_add(b, v_mul(weight8, key8[v]));
      }
    }
  }
#pragma GCC unroll 8
  for (size_t s = 0; s < kTileQueries * kKeyVectors; ++s) sum[s] = v_add(even[s], odd[s]);
}

// Scores of kTileQueries queries over a transposed block of keys.
static void score_tile_f16(const float* queries, size_t query_stride, const float* tile, size_t dim,
                           float scale, float* scores, size_t row) {
  constexpr size_t kSums = kTileQueries * kKeyVectors;
  V pairs[8][kSums];
  for (size_t p = 0; p < 8; ++p) chain_pair(queries, query_stride, tile, dim, p, pairs[p]);
  const V factor = v_set(scale);
  for (size_t q = 0; q < kTileQueries; ++q) {
    for (size_t v = 0; v < kKeyVectors; ++v) {
      const size_t s = q * kKeyVectors + v;
      const V even = v_add(v_add(pairs[0][s], pairs[4][s]), v_add(pairs[2][s], pairs[6][s]));
      const V odd = v_add(v_add(pairs[1][s], pairs[5][s]), v_add(pairs[3][s], pairs[7][s]));
      v_store(scores + q * row + 16 * v, v_mul(v_add(even, odd), factor));
    }
  }
}

// Scores of few queries, n_queries <= kQueries, over positions [begin, end): the keys as they lie.
// Where there are fewer, the last one is computed again.
template <size_t kQueries>
static void score_rows_f16(const float* queries, size_t n_queries, const CacheView& keys,
                           size_t begin, size_t end, size_t dim, float scale, float* scores,
                           size_t row) {
  const size_t whole = dim / 16 * 16;
  const V factor = v_set(scale);
  const float* query[kQueries];
  for (size_t q = 0; q < kQueries; ++q) query[q] = queries + smaller(q, n_queries - 1) * dim;
  for (size_t j = begin; j < end; j += 16) {
    const size_t n = smaller(end - j, 16);
    V sums[kQueries][16];
    for (size_t i = n; i < 16; ++i) {
      for (size_t q = 0; q < kQueries; ++q) sums[q][i] = v_zero();
    }
    for (size_t i = 0; i < n; ++i) {
      const uint16_t* key = static_cast<const uint16_t*>(keys.data) + (j + i) * keys.stride;
      fetch(key + kRowsAhead * keys.stride, dim * sizeof(uint16_t));
      V sum[kQueries];
#pragma GCC unroll 4
      for (size_t q = 0; q < kQueries; ++q) sum[q] = v_zero();
      for (size_t d = 0; d < whole; d += 16) {
        const V k = v_load_f16(key + d);
#pragma GCC unroll 4
        for (size_t q = 0; q < kQueries; ++q) {
          sum[q] = v_add(sum[q], v_mul(v_load(query[q] + d), k));
        }
      }
      if (whole < dim) {
        const V k = v_load_f16_n(key + whole, dim - whole);
#pragma GCC unroll 4
        for (size_t q = 0; q < kQueries; ++q) {
          sum[q] = v_add(sum[q], v_mul(v_load_n(query[q] + whole, dim - whole), k));
        }
      }
#pragma GCC unroll 4
      for (size_t q = 0; q < kQueries; ++q) sums[q][i] = sum[q];
    }
    for (size_t q = 0; q < n_queries; ++q) {
      v_store_any(scores + q * row + j, n, v_mul(v_tree16(sums[q]), factor));
    }
  }
}

// The same for all queries of one token, a chunk of keys at a time.
static void score_rows_f16(const QueryBlock& b, size_t begin, size_t end) {
  const AttentionView& a = b.view;
  for (size_t j = begin; j < end; j += kChunk) {
    const size_t stop = smaller(end, j + kChunk);
    for (size_t q = 0; q < b.count; q += 4) {
      const size_t n = smaller(b.count - q, 4);
      const auto score = n == 1 ? score_rows_f16<1> : score_rows_f16<4>;
      score(b.query(q), n, a.keys, j, stop, a.dim, a.scale, b.scores + q * b.row, b.row);
    }
  }
}

static void score_block_f16(const QueryBlock& b) {
  const AttentionView& a = b.view;
  const size_t end = b.seen(b.count - 1);
  const size_t depth = round_up_to(a.dim, 16);
  for (size_t q = 0; q < b.padded; ++q) {
    float* row = b.queries + q * b.dim;
    for (size_t i = 0; i < depth; ++i) row[i] = q < b.count && i < a.dim ? b.query(q)[i] : 0.0f;
  }
  for (size_t j = 0; j < end; j += kKeyBlock) {
    transpose_keys_f16(a.keys, j, end - j, a.dim, b.tile);
    RowsAhead next(a.keys, a.dim, j + kKeyBlock, smaller(j + 2 * kKeyBlock, end),
                   b.padded / kTileQueries);
    for (size_t q = 0; q < b.padded; q += kTileQueries) {
      next.step();
      score_tile_f16(b.queries + q * b.dim, b.dim, b.tile, depth, a.scale, b.scores + q * b.row + j,
                     b.row);
    }
  }
}

// One position's values for a tile of dims, of which the last vector may be partial.
static inline V load_value_f16(const uint16_t* p, size_t width, size_t v) {
  return width >= 16 * (v + 1) ? v_load_f16(p + 16 * v)
         : width > 16 * v      ? v_load_f16_n(p + 16 * v, width - 16 * v)
                               : v_zero();
}

// chunks[q] += weights[q][j] * values[j] for j < n, one chain a lane: floats [n][kTileDims], or
// binary16 at a stride, kVectors of them.
template <size_t kQueries, size_t kVectors, typename T>
static inline void value_tile(const float* weights, size_t row, const T* values, size_t stride,
                              size_t n, float* chunks) {
  V sum[kQueries * kVectors];
#pragma GCC unroll 4
  for (size_t q = 0; q < kQueries; ++q) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      sum[q * kVectors + v] = v_load(chunks + q * kTileDims + 16 * v);
    }
  }
  for (size_t j = 0; j < n; ++j) {
    if constexpr (sizeof(T) == sizeof(uint16_t)) {
      fetch(values + (j + kRowsAhead) * stride, 16 * kVectors * sizeof(T));
    }
    V value[kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      if constexpr (sizeof(T) == sizeof(float)) {
        value[v] = v_load(values + j * stride + 16 * v);
      } else {
        value[v] = v_load_f16(values + j * stride + 16 * v);
      }
    }
#pragma GCC unroll 4
    for (size_t q = 0; q < kQueries; ++q) {
      const V weight = v_set(weights[q * row + j]);
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) {
        V& s = sum[q * kVectors + v];
        s = v_add(s, v_mul(weight, value[v]));
      }
    }
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < kQueries; ++q) {
#pragma GCC unroll 4
    for (size_t v = 0; v < kVectors; ++v) {
      v_store(chunks + q * kTileDims + 16 * v, sum[q * kVectors + v]);
    }
  }
}

template <typename T>
static void value_tiles(size_t n_queries, const float* weights, size_t row, const T* values,
                        size_t stride, size_t n, float* chunks) {
  // More queries than a tile has take a vector of it at a time.
  if constexpr (sizeof(T) == sizeof(uint16_t) && kRowQueries > kTileQueries) {
    for (size_t d = 0; d < kTileDims && n_queries == kRowQueries; d += 16) {
      value_tile<kRowQueries, 1>(weights, row, values + d, stride, n, chunks + d);
    }
    if (n_queries == kRowQueries) return;
  }
  if (n_queries == kTileQueries) {
    value_tile<kTileQueries, kTileVectors>(weights, row, values, stride, n, chunks);
    return;
  }
  for (; n_queries >= 2; n_queries -= 2, weights += 2 * row, chunks += 2 * kTileDims) {
    value_tile<2, kTileVectors>(weights, row, values, stride, n, chunks);
  }
  if (n_queries == 1) value_tile<1, kTileVectors>(weights, row, values, stride, n, chunks);
}

// The weights of queries from q on, at most so many as share a pass over the values, times a part
// of those that starts at position j. They may see different ends.
template <typename T>
static void add_part(const QueryBlock& b, size_t q, size_t j, size_t n, const T* values,
                     size_t stride) {
  constexpr size_t kTogether = sizeof(T) == sizeof(float) ? kTileQueries : kRowQueries;
  const size_t n_queries = smaller(b.count - q, kTogether);
  const size_t common = smaller(n, larger(b.seen(q), j) - j);
  const float* weights = b.scores + q * b.row + j;
  float* chunks = b.chunks + q * kTileDims;
  value_tiles(n_queries, weights, b.row, values, stride, common, chunks);
  for (size_t i = 1; i < n_queries; ++i) {
    const size_t own = smaller(n, larger(b.seen(q + i), j) - j);
    if (own <= common) continue;
    value_tiles(1, weights + i * b.row + common, b.row, values + common * stride, stride,
                own - common, chunks + i * kTileDims);
  }
}

// One chunk of positions for the dims from d on, added to the outputs.
static void add_chunk_f16(const QueryBlock& b, size_t begin, size_t end, size_t d, RowsAhead& next,
                          float* y, size_t y_stride) {
  const AttentionView& a = b.view;
  const auto* data = static_cast<const uint16_t*>(a.values.data) + d;
  const size_t width = smaller(a.dim - d, kTileDims);
  // Converting once pays when several passes read it.
  const bool as_stored =
      width == kTileDims && b.count <= (a.n_tokens == 1 ? kRowQueries : kTileQueries);
  for (size_t i = 0; i < b.count * kTileDims; ++i) b.chunks[i] = 0.0f;
  for (size_t j = begin; j < end; j += kPart) {
    const size_t n = smaller(end - j, kPart);
    const uint16_t* part = data + j * a.values.stride;
    if (as_stored) {
      add_part(b, 0, j, n, part, a.values.stride);
      continue;
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t v = 0; v < kTileVectors; ++v) {
        v_store(b.tile + i * kTileDims + 16 * v,
                load_value_f16(part + i * a.values.stride, width, v));
      }
    }
    for (size_t q = 0; q < b.count; q += kTileQueries) {
      next.step();
      add_part(b, q, j, n, b.tile, kTileDims);
    }
  }
  for (size_t q = 0; q < b.count; ++q) {
    float* out = b.output(y, y_stride, q) + d;
    const float* chunk = b.chunks + q * kTileDims;
    for (size_t i = 0; i < width; i += 16) {
      v_store_any(out + i, width - i, v_add(v_load_any(out + i, width - i), v_load(chunk + i)));
    }
  }
}
