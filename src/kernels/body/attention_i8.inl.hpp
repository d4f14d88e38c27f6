// Scores and values of a block of queries over an int8 cache (docs/numerics.md 9.2, 9.4).
// Included inside a kernel region, after attention_blocks.inl.hpp.
//
//     keys    dwords of four dims, positions in lanes: tile [dim / 4][kByteBlock][4]
//     values  words of two positions, dims in lanes:   tile [kChunk / 2][kTileDims][2]
//
// Bounds: a score's sum is below 255 * 127 * 65536 < 2^31; a chunk's below 256 * 16256 * 128 <
// 2^31.

// Keys [begin, begin + n); missing positions and dims are zero.
static void transpose_keys_i8(const CacheView& keys, size_t begin, size_t n, size_t dim,
                              bool fetch_ahead, int32_t* tile) {
  const auto* data = static_cast<const int8_t*>(keys.data) + begin * keys.stride;
  for (size_t v = 0; v < kTileVectors; ++v) {
    for (size_t d = 0; d < dim; d += 64) {
      VI rows[16];
      for (size_t j = 0; j < 16; ++j) {
        rows[j] = vi_zero();
        if (16 * v + j >= n) continue;
        const int8_t* key = data + (16 * v + j) * keys.stride + d;
        if (fetch_ahead) fetch_row(key + kByteBlock * keys.stride, 64);
        if (dim - d >= 64) {
          rows[j] = vi_load(key);
        } else {
          int8_t copy[64] = {};
          __builtin_memcpy(copy, key, dim - d);
          rows[j] = vi_load(copy);
        }
      }
      vi_transpose16(rows);
      for (size_t i = 0; i < 16; ++i) {
        vi_store(tile + (d / 4 + i) * kByteBlock + 16 * v, vi_offset_keys(rows[i]));
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
        s = vi_dot_keys(s, key[v], code);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < kTileQueries; ++q) {
    const VI offset = vi_set(b.totals[q0 + q]);
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
    b.totals[q] = kKeyOffset * token.sum;
  }
}

static void score_block_i8(const QueryBlock& b) {
  const AttentionView& a = b.view;
  const size_t end = b.seen(b.count - 1);
  const size_t depth = round_up_to(a.dim, 4);
  auto* tile = reinterpret_cast<int32_t*>(b.tile);
  quantize_queries(b);
  for (size_t j = 0; j < end; j += kByteBlock) {
    transpose_keys_i8(a.keys, j, end - j, a.dim, b.count <= kTileQueries, tile);
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
// zero beyond what the query sees, and the value of their unit.
static void quantize_weights(const float* weights, const float* units, size_t n, int16_t* words,
                             float* step) {
  float scaled[kChunk];
  VI largest = vi_zero();
  for (size_t i = 0; i < n; i += 16) {
    const V s = v_mul(v_load_any(weights + i, n - i), v_load(units + i));
    largest = vi_max_u(largest, v_abs_bits(v_keep_n(s, n - i)));
    v_store(scaled + i, s);
  }
  const uint32_t bits = vi_reduce_max_u(largest);
  const float m = floored_weight(bits);
  *step = is_finite_bits(bits) ? m / 16256.0f : f32_of_bits(kNanBits);
  const V s = v_set(16256.0f / m);
  for (size_t i = 0; i < kChunk; i += 16) {
    const size_t count = i < n ? smaller(n - i, 16) : 0;
    const VI code = i < n ? v_to_int(v_mul(v_keep_n(v_load(scaled + i), count), s)) : vi_zero();
    vi_store_words_n(code, words + i, 16);
  }
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
    quantize_weights(b.scores + q * b.row + begin, units, seen, b.words + q * kChunk, b.units + q);
  }
}

static inline VI load_value_i8(const int8_t* p, size_t width, size_t v) {
  return width >= 16 * (v + 1) ? vi_load_i8(p + 16 * v)
         : width > 16 * v      ? vi_load_i8_n(p + 16 * v, width - 16 * v)
                               : vi_zero();
}

// Sums of a tile of queries over the pairs of a chunk.
static inline void sum_pairs(const int16_t* words, const int32_t* tile, size_t n_pairs, VI* sum) {
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) sum[s] = vi_zero();
  for (size_t p = 0; p < n_pairs; ++p) {
    VI value[kTileVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kTileVectors; ++v) value[v] = vi_load(tile + p * kTileDims + 16 * v);
#pragma GCC unroll 4
    for (size_t q = 0; q < kTileQueries; ++q) {
      const VI weight = vb_broadcast4(words + q * kChunk + 2 * p);
#pragma GCC unroll 4
      for (size_t v = 0; v < kTileVectors; ++v) {
        VI& s = sum[q * kTileVectors + v];
        s = vi_dot_words(s, value[v], weight);
      }
    }
  }
}

// One chunk of positions for the dims from d on, added to the outputs.
static void add_chunk_i8(const QueryBlock& b, size_t begin, size_t end, size_t d, RowsAhead& next,
                         float* y, size_t y_stride) {
  const AttentionView& a = b.view;
  const size_t stride = a.values.stride;
  const auto* data = static_cast<const int8_t*>(a.values.data) + begin * stride + d;
  const size_t width = smaller(a.dim - d, kTileDims);
  const size_t n = end - begin;
  auto* tile = reinterpret_cast<int32_t*>(b.tile);
  for (size_t j = 0; j < n; j += 2) {
    const int8_t* even = data + j * stride;
    if (b.count <= kTileQueries) {
      fetch_row(even + kRowsAhead * stride, width);
      fetch_row(even + (kRowsAhead + 1) * stride, width);
    }
    for (size_t v = 0; v < kTileVectors; ++v) {
      const VI odd = j + 1 < n ? load_value_i8(even + stride, width, v) : vi_zero();
      vi_store(tile + j / 2 * kTileDims + 16 * v, vi_pair(load_value_i8(even, width, v), odd));
    }
  }
  for (size_t q0 = 0; q0 < b.count; q0 += kTileQueries) {
    next.step();
    VI sum[kTileQueries * kTileVectors];
    sum_pairs(b.words + q0 * kChunk, tile, (n + 1) / 2, sum);
    for (size_t q = q0; q < smaller(q0 + kTileQueries, b.count); ++q) {
      float* out = b.output(y, y_stride, q) + d;
      const V step = v_set(b.units[q]);
      for (size_t v = 0; 16 * v < width; ++v) {
        const V exact = v_from_int(sum[(q - q0) * kTileVectors + v]);
        const V before = v_load_any(out + 16 * v, width - 16 * v);
        v_store_any(out + 16 * v, width - 16 * v, v_add(before, v_mul(exact, step)));
      }
    }
  }
}
