// Scores and values of a block of queries over a cache of integers (docs/numerics.md 9.2, 9.4).
// Included inside a kernel region, after attention_blocks.inl.hpp and unpack_codes.inl.hpp.
//
//     keys    dwords of four dims, positions in lanes: tile [dim / 4][kByteBlock][4]
//     values  words of two positions, dims in lanes:   tile [kChunk / 2][kTileDims][2]
//
// Bounds: a score's sum is below 255 * 127 * 65536 < 2^31; a chunk's below 256 * 16256 * 128 <
// 2^31.

// Rows of codes, [n, stride], whole pieces of 64 dims: what is behind a head's dims means nothing,
// as queries are zero there and outputs end before.
struct CodeRows {
  const int8_t* data;
  size_t stride;
};

// The codes of n <= kChunk positions: where they lie, or `staged`: unpacked, rows b.dim apart.
static CodeRows code_rows(const QueryBlock& b, const CacheView& cache, size_t begin, size_t n,
                          bool staged) {
  const size_t stride = row_stride(cache, b.view.dim);
  const auto* rows = static_cast<const uint8_t*>(cache.data) + begin * stride;
  if (!staged) return {reinterpret_cast<const int8_t*>(rows), stride};
  for (size_t j = 0; j < n; ++j) {
    int8_t* const to = b.stage + j * b.dim;
    if (is_packed(cache.type)) {
      unpack_row(cache.type, rows + j * stride, b.view.dim, to);
    } else {
      __builtin_memcpy(to, rows + j * stride, b.view.dim);
    }
  }
  if (begin == 0 && cache.first != nullptr) {
    unpack_row(CacheType::i4, cache.first, b.view.dim, b.stage);
  }
  return {b.stage, b.dim};
}

// Whether rows of bytes cannot be read where they lie.
static inline bool must_stage(const CacheView& cache, size_t dim) {
  return is_packed(cache.type) || dim % 64 != 0;
}

// n keys, as many as fit; missing positions are the last one.
static void transpose_keys_i8(const CodeRows& keys, size_t n, size_t dim, int32_t* tile) {
  for (size_t v = 0; v < kTileVectors; ++v) {
    for (size_t d = 0; d < dim; d += 64) {
      VI rows[16];
#pragma GCC unroll 16
      for (size_t j = 0; j < 16; ++j) {
        const int8_t* key = keys.data + smaller(16 * v + j, n - 1) * keys.stride + d;
        rows[j] = vi_load(key);
      }
      vi_transpose16(rows);
#pragma GCC unroll 16
      for (size_t i = 0; i < 16; ++i) {
        vi_store(tile + (d / 4 + i) * kByteBlock + 16 * v, vi_offset_bytes(rows[i]));
      }
    }
  }
}

// Scores of a tile of queries over a transposed block of keys whose units are given.
static void score_tile_i8(const QueryBlock& b, size_t q0, const int32_t* tile, size_t depth,
                          const V* key_units, float* scores) {
  const auto* codes = reinterpret_cast<const int8_t*>(b.queries) + q0 * b.dim;
  VI sum[kTileQueries * kTileVectors];
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) sum[s] = vi_zero();
  for (size_t d = 0; d < depth; d += 4) {
    VI key[kTileVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kTileVectors; ++v) key[v] = vi_load(tile + d / 4 * kByteBlock + 16 * v);
#pragma GCC unroll 4
    for (size_t q = 0; q < kTileQueries; ++q) {
      const VI code = vb_broadcast4(codes + q * b.dim + d);
#pragma GCC unroll 4
      for (size_t v = 0; v < kTileVectors; ++v) {
        VI& s = sum[q * kTileVectors + v];
        s = vi_dot_bytes(s, key[v], code);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < kTileQueries; ++q) {
    const VI offset = vi_set(kByteOffset * b.totals[q0 + q]);
    const V unit = v_set(b.units[q0 + q]);
#pragma GCC unroll 4
    for (size_t v = 0; v < kTileVectors; ++v) {
      const V exact = v_from_int(vi_sub(sum[q * kTileVectors + v], offset));
      v_store(scores + q * b.row + 16 * v, v_mul(exact, v_mul(unit, key_units[v])));
    }
  }
}

static void quantize_queries(const QueryBlock& b) {
  auto* codes = reinterpret_cast<int8_t*>(b.queries);
  for (size_t q = 0; q < b.padded; ++q) {
    QuantizedToken token = {};
    if (q < b.count) {
      token = quantize_i8(b.query(q), b.view.dim, codes + q * b.dim, b.dim);
    } else {
      for (size_t i = 0; i < b.dim; ++i) codes[q * b.dim + i] = 0;
    }
    b.units[q] = token.finite != 0 ? token.step * b.view.scale : f32_of_bits(kNanBits);
    b.totals[q] = token.sum;
  }
}

static void score_block_i8(const QueryBlock& b) {
  const AttentionView& a = b.view;
  const size_t end = b.seen(b.count - 1);
  const size_t depth = round_up_to(a.dim, 4);
  auto* tile = reinterpret_cast<int32_t*>(b.tile);
  quantize_queries(b);
  for (size_t j = 0; j < end; j += kByteBlock) {
    const size_t n = smaller(end - j, kByteBlock);
    transpose_keys_i8(code_rows(b, a.keys, j, n, must_stage(a.keys, a.dim)), n, a.dim, tile);
    V units[kTileVectors];
    for (size_t v = 0; v < kTileVectors; ++v) {
      const size_t at = j + 16 * v;
      units[v] = at + 16 <= end ? v_load_f16(a.keys.scales + at)
                 : at < end     ? v_load_f16_n(a.keys.scales + at, end - at)
                                : v_zero();
    }
    RowsAhead next(a.keys, a.dim, j + kByteBlock, smaller(j + 2 * kByteBlock, end),
                   b.padded / kTileQueries);
    for (size_t q = 0; q < b.padded; q += kTileQueries) {
      next.step();
      score_tile_i8(b, q, tile, depth, units, b.scores + q * b.row + j);
    }
  }
}

// The integer weights of one query over a chunk (9.4): 16-bit codes of weight times value unit,
// zero beyond what the query sees, the value of their unit and their sum.
static void quantize_weights(const float* weights, const float* units, size_t n, int16_t* words,
                             float* step, int32_t* sum) {
  float scaled[kChunk];
  VI largest[2] = {vi_zero(), vi_zero()};
  const size_t whole = n / 32 * 32;
  for (size_t i = 0; i < whole; i += 32) {
#pragma GCC unroll 2
    for (size_t c = 0; c < 2; ++c) {
      const V s = v_mul(v_load(weights + i + 16 * c), v_load(units + i + 16 * c));
      largest[c] = vi_max_u(largest[c], v_abs_bits(s));
      v_store(scaled + i + 16 * c, s);
    }
  }
  for (size_t i = whole; i < n; i += 16) {
    const V s = v_keep_n(v_mul(v_load_any(weights + i, n - i), v_load(units + i)), n - i);
    largest[0] = vi_max_u(largest[0], v_abs_bits(s));
    v_store(scaled + i, s);
  }
  const uint32_t bits = vi_reduce_max_u(vi_max_u(largest[0], largest[1]));
  const float m = floored_weight(bits);
  *step = is_finite_bits(bits) ? m / 16256.0f : f32_of_bits(kNanBits);
  const V s = v_set(16256.0f / m);
  VI total = vi_zero();
  size_t i = 0;
  for (; i < n; i += 16) {
    const VI code = v_to_int(v_mul(v_load(scaled + i), s));
    total = vi_add(total, code);
    vi_store_words(code, words + i);
  }
  for (; i < kChunk; i += 16) vi_store_words(vi_zero(), words + i);
  *sum = vi_reduce_add(total);
}

static void quantize_chunk_weights(const QueryBlock& b, size_t begin, size_t n) {
  const AttentionView& a = b.view;
  float units[kChunk];
  for (size_t i = 0; i < n; i += 16) {
    const uint16_t* at = a.values.scales + begin + i;
    v_store(units + i, n - i >= 16 ? v_load_f16(at) : v_load_f16_n(at, n - i));
  }
  for (size_t q = 0; q < b.padded; ++q) {
    const size_t seen = q < b.count ? smaller(n, larger(b.seen(q), begin) - begin) : 0;
    quantize_weights(b.scores + q * b.row + begin, units, seen, b.words + q * kChunk, b.units + q,
                     b.totals + q);
  }
}

// Sums of a tile of queries over the pairs of a chunk: [kTileQueries][kTileVectors].
static inline void sum_pairs(const int16_t* words, const int32_t* tile, size_t n_pairs, VI* sum) {
  VI total[kTileQueries * kTileVectors];
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) total[s] = vi_zero();
  for (size_t p = 0; p < n_pairs; ++p) {
    VI value[kTileVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kTileVectors; ++v) value[v] = vi_load(tile + p * kTileDims + 16 * v);
#pragma GCC unroll 4
    for (size_t q = 0; q < kTileQueries; ++q) {
      const VI weight = vb_broadcast4(words + q * kChunk + 2 * p);
#pragma GCC unroll 4
      for (size_t v = 0; v < kTileVectors; ++v) {
        VI& s = total[q * kTileVectors + v];
        s = vi_dot_words(s, value[v], weight);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < kTileQueries; ++q) vi_sort_pairs(total + q * kTileVectors);
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) sum[s] = total[s];
}

// y += float(sum) * step for queries [first, end) of a tile.
static void add_sums_i8(const QueryBlock& b, size_t first, size_t end, const VI* sum, size_t d,
                        float* y, size_t y_stride) {
  const size_t width = smaller(b.view.dim - d, kTileDims);
  for (size_t q = first; q < end; ++q) {
    float* out = b.output(y, y_stride, q) + d;
    const V step = v_set(b.units[q]);
    for (size_t v = 0; 16 * v < width; ++v) {
      const V exact = v_from_int(sum[(q - first) * kTileVectors + v]);
      const V before = v_load_any(out + 16 * v, width - 16 * v);
      v_store_any(out + 16 * v, width - 16 * v, v_add(before, v_mul(exact, step)));
    }
  }
}

// One chunk of positions for the dims from d on, added to the outputs. Shapes: rows [n].
static void add_chunk_i8(const QueryBlock& b, const CodeRows& rows, size_t n, size_t d,
                         RowsAhead& next, float* y, size_t y_stride) {
  auto* tile = reinterpret_cast<int32_t*>(b.tile);
  for (size_t j = 0; j < n; j += 2) {
    const int8_t* even = rows.data + j * rows.stride + d;
    const int8_t* odd = j + 1 < n ? even + rows.stride : even;  // whose weight is zero then
    VI pairs[kTileVectors];
    vi_load_pairs(even, odd, pairs);
#pragma GCC unroll 4
    for (size_t v = 0; v < kTileVectors; ++v) {
      vi_store(tile + j / 2 * kTileDims + 16 * v, pairs[v]);
    }
  }
  VI sum[kTileQueries * kTileVectors];
  for (size_t q = 0; q < b.count; q += kTileQueries) {
    next.step();
    sum_pairs(b.words + q * kChunk, tile, (n + 1) / 2, sum);
    add_sums_i8(b, q, smaller(q + kTileQueries, b.count), sum, d, y, y_stride);
  }
}
