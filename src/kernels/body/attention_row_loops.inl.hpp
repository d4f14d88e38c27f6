// The loops over rows of attention_rows.inl.hpp, for lanes of sixteen. Included inside a kernel
// region, before it.
//
//     scores   four dims a lane; four positions of the same sixteen dims in the lanes of a quarter:
//              lane 4p + j of register m has dims 16p + 4m of position j. Queries are spread in
//              that order once, so that nothing but quarters is summed across lanes, sixteen
//              positions at a time
//     values   words of two positions, dims in lanes
//
// Bounds: those of attention_i8.inl.hpp; packed codes are below 16.
//
// Primitives beside those of attention_blocks.inl.hpp:
//
// clang-format off
//   vi_dot_bytes_at(acc, b, p)  vi_dot_bytes with 64 codes from memory
//   vi_transpose_lanes(v)       v[4]: lane 4p + j of v[i] becomes lane 4p + i of v[j]
// clang-format on

// A kind of rows gives keys(row), bytes, kKeyMore more than they are; pairs(even, odd,
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

// codes[q][piece][m][lane], as above.
static void arrange_queries(const QueryBlock& b) {
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

// Queries that do not exist are computed too.
template <typename Rows>
static void sum_rows_i8(const int16_t* words, const CodeRows& rows, size_t n, size_t piece,
                        size_t /*n_queries*/, VI* sum) {
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
