// The loops over rows of attention_rows.inl.hpp, for registers of 32 bytes. Included inside an AVX2
// region, before it and after avx2_sums.inl.hpp.
//
//     scores   four dims a lane, as they lie in a key and in a query's codes; the lanes of sixteen
//              keys are summed at their end
//     values   words of two positions, dims in lanes; four queries take half a piece at a time, two
//              all of it: 8 sums, 2 or 4 vectors of words and a weight, of 16 registers
//
// A kind of rows gives pairs<kUpper>(even, odd, pairs), words of half the dims of a piece,
// kValueMore more than they are; and packed ones, of 128 dims, keys(row, pieces): four registers of
// bytes, kKeyMore more.
//
// Bounds: those of attention_i8.inl.hpp; packed codes are below 16, and where pairs of products are
// summed in 16 bits, four of them with codes in [-127, 127] are at most 4 * 2 * 15 * 127 = 15240.

// A remainder of three is padded to four.
static_assert(kRowQueries == 4 && kTileQueries == 2);

struct ByteRows {
  static constexpr int32_t kKeyMore = kByteOffset;
  static constexpr int32_t kValueMore = 0;
  size_t at;

  explicit ByteRows(size_t piece) : at(kPieceDims * piece) {}
  const int8_t* value(const int8_t* row) const { return row + at; }
  template <bool kUpper>
  void pairs(const int8_t* even, const int8_t* odd, __m256i* pairs) const {
    const __m256i mixed = mix_rows<kUpper>(load_piece(value(even)), load_piece(value(odd)));
    const VI words = split_bytes(mixed);
    pairs[0] = words.lo;
    pairs[1] = words.hi;
  }
};

static inline void arrange_queries(const QueryBlock&) {}

// sums[q] = a key times the codes of query q, in lanes. Packed ones have 128 dims.
template <typename Rows, size_t kQueries>
static inline void dot_key(const int8_t* key, const int8_t* codes, size_t dim, __m256i* sums) {
  if constexpr (requires(__m256i * pieces) { Rows::keys(key, pieces); }) {
    fetch_ahead(key);
    __m256i pieces[4];
    Rows::keys(key, pieces);
#pragma GCC unroll 4
    for (size_t q = 0; q < kQueries; ++q) {
      __m256i sum = _mm256_setzero_si256();
#pragma GCC unroll 4
      for (size_t p = 0; p < 4; ++p) {
        sum = half_dot(sum, pieces[p], load_piece(codes + 128 * q + kPieceDims * p));
      }
      sums[q] = half_sums(sum);
    }
  } else {
#pragma GCC unroll 4
    for (size_t q = 0; q < kQueries; ++q) sums[q] = _mm256_setzero_si256();
    for (size_t d = 0; d < dim; d += 64) {
      fetch_ahead(key + d);
#pragma GCC unroll 2
      for (size_t at = d; at < d + 64; at += kPieceDims) {
        const __m256i bytes = half_offset_bytes(load_piece(key + at));
#pragma GCC unroll 4
        for (size_t q = 0; q < kQueries; ++q) {
          sums[q] = half_dot_bytes(sums[q], bytes, load_piece(codes + dim * q + at));
        }
      }
    }
  }
}

// The scores of queries from q0 on from sums by lane, of codes that are `more` more than they mean.
// One function for all kinds of rows.
[[gnu::noinline]] static void store_scores(const QueryBlock& b, size_t q0, size_t n_queries,
                                           const __m256i (*sums)[16], int32_t more, V unit,
                                           float* scores) {
  for (size_t q = 0; q < n_queries; ++q) {
    const VI sum = {reduce_eight(sums[q]), reduce_eight(sums[q] + 8)};
    const V exact = v_from_int(vi_sub(sum, vi_set(more * b.totals[q0 + q])));
    v_store(scores + q * b.row, v_mul(exact, v_mul(v_set(b.units[q0 + q]), unit)));
  }
}

template <typename Rows, size_t kQueries>
static void score_queries(const QueryBlock& b, size_t q0, const CodeRows& rows, size_t n,
                          const uint16_t* units, size_t n_units, float* scores) {
  const auto* codes = reinterpret_cast<const int8_t*>(b.queries) + q0 * b.dim;
  const int8_t* row = rows.data;
  for (size_t j = 0; j < n; j += 16) {
    __m256i sums[kQueries][16];
    for (size_t i = 0; i < 16; ++i, row += rows.stride) {
      __m256i of_key[kQueries];
      dot_key<Rows, kQueries>(row, codes, b.dim, of_key);
#pragma GCC unroll 4
      for (size_t q = 0; q < kQueries; ++q) sums[q][i] = of_key[q];
    }
    const V unit = n_units - j >= 16 ? v_load_f16(units + j) : v_load_f16_n(units + j, n_units - j);
    store_scores(b, q0, smaller(b.count - q0, kQueries), sums, Rows::kKeyMore, unit, scores + j);
  }
}

template <typename Rows>
static void score_run_i8(const QueryBlock& b, size_t q0, const CodeRows& rows, size_t n,
                         const uint16_t* units, size_t n_units, float* scores) {
  // An odd one goes with what fills its tile.
  const size_t n_queries = smaller(b.count - q0, kRowQueries);
  const auto score = n_queries > 2 ? score_queries<Rows, 4> : score_queries<Rows, 2>;
  score(b, q0, rows, n, units, n_units, scores);
}

// sum[q][h] += half h of a piece, for h in [kBegin, kEnd). Not inlined: with what surrounds it g++
// 12 has no registers left for the loop. A missing odd position is the even one again: its weight
// is zero.
template <typename Rows, size_t kQueries, size_t kBegin, size_t kEnd>
[[gnu::noinline]] static void sum_halves(const Rows& reader, const int16_t* words,
                                         const CodeRows& rows, size_t n, VI* sum) {
  constexpr size_t kHalves = kEnd - kBegin;
  __m256i total[kQueries][kHalves][2];
#pragma GCC unroll 4
  for (size_t i = 0; i < kQueries * kHalves; ++i) {
    const VI& s = sum[i / kHalves * kTileVectors + kBegin + i % kHalves];
    total[i / kHalves][i % kHalves][0] = s.lo;
    total[i / kHalves][i % kHalves][1] = s.hi;
  }
  const int8_t* even = rows.data;
  for (size_t j = 0; j < n; j += 2, even += 2 * rows.stride) {
    const int8_t* odd = j + 1 < n ? even + rows.stride : even;
    if (kBegin == 0) {
      fetch_ahead(reader.value(even));
      fetch_ahead(reader.value(odd));
    }
    __m256i pairs[kHalves][2];
    if (kBegin == 0) reader.template pairs<false>(even, odd, pairs[0]);
    if (kEnd == 2) reader.template pairs<true>(even, odd, pairs[kHalves - 1]);
#pragma GCC unroll 4
    for (size_t q = 0; q < kQueries; ++q) {
      int32_t two = 0;
      __builtin_memcpy(&two, words + q * kChunk + j, 4);
      const __m256i weight = _mm256_set1_epi32(two);
#pragma GCC unroll 4
      for (size_t i = 0; i < 2 * kHalves; ++i) {
        __m256i& t = total[q][i / 2][i % 2];
        t = half_dot_words(t, pairs[i / 2][i % 2], weight);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < kQueries * kHalves; ++i) {
    const __m256i* t = total[i / kHalves][i % kHalves];
    sum[i / kHalves * kTileVectors + kBegin + i % kHalves] = {t[0], t[1]};
  }
}

// Four queries take half a piece at a time, two a whole one, of which one may fill a tile.
template <typename Rows>
static void sum_rows_i8(const int16_t* words, const CodeRows& rows, size_t n, size_t piece,
                        size_t n_queries, VI* sum) {
  static_assert(kTileDims == kPieceDims && kTileVectors == 2);
  const Rows reader(piece);
  if (n_queries > 2) {
    sum_halves<Rows, 4, 0, 1>(reader, words, rows, n, sum);
    sum_halves<Rows, 4, 1, 2>(reader, words, rows, n, sum);
  } else {
    sum_halves<Rows, 2, 0, 2>(reader, words, rows, n, sum);
  }
}
