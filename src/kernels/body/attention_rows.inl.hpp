// The queries of one token over a range of positions (docs/numerics.md 9.2, 9.4): rows are read as
// they lie, since so few queries do not pay for tiles. Included inside a kernel region, after
// attention_f16.inl.hpp, attention_i8.inl.hpp and what kReadsPacked promises.
//
//     scores   four dims a lane; four positions of the same sixteen dims in the lanes of a quarter:
//              lane 4p + j of register m has dims 16p + 4m of position j. Queries are spread in
//              that order once, so that nothing but quarters is summed across lanes, sixteen
//              positions at a time
//     values   words of two positions, dims in lanes
//
// Bounds: those of attention_i8.inl.hpp; packed codes are below 16.

// How a kind of rows is read: keys(row), bytes, kKeyMore more than they are; pairs(even, odd,
// pairs), words, kValueMore more. A piece is 64 dims, of values kTileDims; key and value say where.
struct ByteRows {
  static constexpr int32_t kKeyMore = kByteOffset;
  static constexpr int32_t kValueMore = 0;
  size_t key_at;
  size_t value_at;

  explicit ByteRows(size_t piece) : key_at(64 * piece), value_at(kTileDims * piece) {}
  const int8_t* key(const int8_t* row) const { return row + key_at; }
  const int8_t* value(const int8_t* row) const { return row + value_at; }
  VI keys(const int8_t* row) const { return vi_offset_bytes(vi_load(key(row))); }
  void pairs(const int8_t* even, const int8_t* odd, VI* pairs) const {
    vi_load_pairs(value(even), value(odd), pairs);
  }
};

// Whether rows must be staged: those of 128 dims a table may read as they are packed.
static inline bool is_staged(const CacheView& cache, size_t dim) {
  return must_stage(cache, dim) && (!kReadsPacked || dim != 128);
}
// So many rows at `begin` are staged all the same, `most` if the first of them is packed otherwise.
static inline size_t staged_rows(const CacheView& cache, size_t begin, size_t n, size_t most) {
  return begin == 0 && cache.first != nullptr ? smaller(n, most) : 0;
}

constexpr size_t kBytesAhead = 16384;  // between a row and the one that is brought for later
static inline void fetch_ahead(const int8_t* row) { __builtin_prefetch(row + kBytesAhead, 0, 2); }
// codes[q][piece][m][lane], as above.
static void spread_queries(const QueryBlock& b) {
  int32_t row[64];
  auto* to = reinterpret_cast<int32_t*>(b.queries) + b.padded * b.dim;
  const auto* from = reinterpret_cast<const int8_t*>(b.queries) + b.padded * b.dim;
  // From the last on, since the spread rows take the place of the plain ones.
  for (size_t piece = b.padded * b.dim / 64; piece > 0; --piece) {
    from -= 64;
    to -= 64;
    for (size_t lane = 0; lane < 64; ++lane) {
      __builtin_memcpy(row + lane, from + lane / 4 % 4 * 16 + lane / 16 * 4, 4);
    }
    __builtin_memcpy(to, row, sizeof(row));
  }
}

// Scores of a tile of queries over rows [n], n a multiple of 16; units [n_units] of those that
// exist.
template <typename Rows>
static void score_run_i8(const QueryBlock& b, size_t q0, const CodeRows& rows, size_t n,
                         const uint16_t* units, size_t n_units, float* scores) {
  const size_t n_queries = smaller(b.count - q0, kTileQueries);
  const size_t query_bytes = b.dim * 4;
  const size_t pieces = b.dim / 64;
  const auto* codes = reinterpret_cast<const int8_t*>(b.queries) + q0 * query_bytes;
  const int8_t* row = rows.data;
  for (size_t j = 0; j < n; j += 16) {
    VI sums[kTileQueries][4];
    for (size_t g = 0; g < 4; ++g, row += 4 * rows.stride) {
      VI sum[kTileQueries];
#pragma GCC unroll 4
      for (size_t q = 0; q < kTileQueries; ++q) sum[q] = vi_zero();
      for (size_t piece = 0; piece < pieces; ++piece) {
        const Rows reader(piece);
        VI key[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; ++i) {
          fetch_ahead(reader.key(row + i * rows.stride));
          key[i] = reader.keys(row + i * rows.stride);
        }
        vi_transpose_lanes(key);
        const int8_t* code = codes + piece * 256;
#pragma GCC unroll 4
        for (size_t m = 0; m < 4; ++m) {
#pragma GCC unroll 4
          for (size_t q = 0; q < kTileQueries; ++q) {
            sum[q] = vi_dot_bytes_at(sum[q], key[m], code + q * query_bytes + 64 * m);
          }
        }
      }
#pragma GCC unroll 4
      for (size_t q = 0; q < kTileQueries; ++q) sums[q][g] = sum[q];
    }
    const V unit = n_units - j >= 16 ? v_load_f16(units + j) : v_load_f16_n(units + j, n_units - j);
    for (size_t q = 0; q < n_queries; ++q) {
      VI s[4] = {sums[q][0], sums[q][1], sums[q][2], sums[q][3]};
      vi_transpose4(s);
      const VI sum = vi_add(vi_add(s[0], s[1]), vi_add(s[2], s[3]));
      const V exact = v_from_int(vi_sub(sum, vi_set(Rows::kKeyMore * b.totals[q0 + q])));
      v_store(scores + q * b.row + j, v_mul(exact, v_mul(v_set(b.units[q0 + q]), unit)));
    }
  }
}

// All queries over the positions [begin, begin + n) of one chunk. The last ones, fewer than
// sixteen, are moved to where sixteen may be read.
template <typename Rows>
static void score_chunk_i8(const QueryBlock& b, CodeRows rows, size_t begin, size_t n) {
  const size_t whole = n / 16 * 16;
  const size_t bytes = cache_row_bytes(b.view.keys.type, b.view.dim);
  const uint16_t* units = b.view.keys.scales + begin;
  for (size_t q = 0; q < b.count; q += kTileQueries) {
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

// sum += a tile of queries' weights times rows [n] of a chunk, for one piece, in the order of
// pairs. A missing odd position is the even one again: its weight is zero.
template <typename Rows>
static void sum_rows_i8(const int16_t* words, const CodeRows& rows, size_t n, size_t piece,
                        VI* sum) {
  const Rows reader(piece);
  VI total[kTileQueries * kTileVectors];
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) total[s] = sum[s];
  const int8_t* even = rows.data;
  for (size_t j = 0; j < n; j += 2, even += 2 * rows.stride) {
    const int8_t* odd = j + 1 < n ? even + rows.stride : even;
    fetch_ahead(reader.value(even));
    fetch_ahead(reader.value(odd));
    VI pairs[kTileVectors];
    reader.pairs(even, odd, pairs);
#pragma GCC unroll 4
    for (size_t q = 0; q < kTileQueries; ++q) {
      const VI weight = vb_broadcast4(words + q * kChunk + j);
#pragma GCC unroll 4
      for (size_t v = 0; v < kTileVectors; ++v) {
        VI& s = total[q * kTileVectors + v];
        s = vi_dot_words(s, pairs[v], weight);
      }
    }
  }
#pragma GCC unroll 16
  for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) sum[s] = total[s];
}

// Rows [n] of a chunk, of which the first n_staged, an even number or all, are bytes, kValueMore
// more than they are like the others.
template <typename Rows>
static void add_rows_i8(const QueryBlock& b, const CodeRows& staged, size_t n_staged,
                        const CodeRows& rows, size_t n, float* y) {
  for (size_t d = 0; d < b.view.dim; d += kTileDims) {
    for (size_t q = 0; q < b.count; q += kTileQueries) {
      const int16_t* words = b.words + q * kChunk;
      const size_t end = smaller(q + kTileQueries, b.count);
      VI sum[kTileQueries * kTileVectors];
#pragma GCC unroll 16
      for (size_t s = 0; s < kTileQueries * kTileVectors; ++s) sum[s] = vi_zero();
      if (n_staged != 0) sum_rows_i8<ByteRows>(words, staged, n_staged, d / kTileDims, sum);
      const CodeRows others = {rows.data + n_staged * rows.stride, rows.stride};
      if (n != n_staged) {
        sum_rows_i8<Rows>(words + n_staged, others, n - n_staged, d / kTileDims, sum);
      }
#pragma GCC unroll 4
      for (size_t i = 0; i < kTileQueries; ++i) vi_sort_pairs(sum + i * kTileVectors);
      for (size_t i = q; i < end && Rows::kValueMore != 0; ++i) {
        const VI more = vi_set(Rows::kValueMore * b.totals[i]);
        VI* s = sum + (i - q) * kTileVectors;
#pragma GCC unroll 1
        for (size_t v = 0; v < kTileVectors; ++v) s[v] = vi_sub(s[v], more);
      }
      add_sums_i8(b, q, end, sum, d, y, 0);
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
  spread_queries(b);
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
