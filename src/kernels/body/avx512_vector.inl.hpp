// The vector product over tiles (docs/numerics.md 4): sixteen rows of a tile are the sixteen lanes.
// Included inside an AVX-512 region, after vector_float.inl.hpp and the trits.
//
// A block is one load; each of its digits (or terms) meets four broadcast activations. Weights come
// from memory once: all tokens pass over a tile while it is in cache. u = t + 1 counts every
// activation once too often, so their sum is subtracted: it came with the token, and is taken again
// for each group of columns.

constexpr size_t kMostPlanes = 8;  // of activations in one pass over a tile or a line
constexpr size_t kPrefetchBytes = 6144;

static inline size_t rows_of_tile(const TernaryView& w, size_t tile) {
  const size_t left = w.rows - tile * kTileRows;
  return left < kTileRows ? left : kTileRows;
}

// sums[p] = sum over the blocks of u * plane p from `column` on. One or two planes: terms, and two
// chains of sums for one plane. Every loop over registers is unrolled, so that they are registers.
template <typename Trits, size_t kPlanes>
static TERN_ALWAYS_INLINE void accumulate_terms(const uint8_t* blocks, size_t n_blocks,
                                                const int8_t* const* planes, size_t column,
                                                VI* sums) {
  constexpr size_t kChains = kPlanes == 1 ? 2 : 1;
  const Trits trits = Trits::load();
  VI acc[kPlanes][kChains][Trits::kTerms];
#pragma GCC unroll 2
  for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 2
    for (size_t c = 0; c < kChains; ++c) {
#pragma GCC unroll 10
      for (size_t i = 0; i < Trits::kTerms; ++i) acc[p][c][i] = vi_zero();
    }
  }
  size_t b = 0;
  for (; b + kChains <= n_blocks; b += kChains) {
#pragma GCC unroll 2
    for (size_t c = 0; c < kChains; ++c) {
      VI u[Trits::kTerms];
      prefetch(blocks + kPrefetchBytes);
      trits.terms(load_once(blocks), u);
#pragma GCC unroll 10
      for (size_t i = 0; i < Trits::kTerms; ++i) {
#pragma GCC unroll 2
        for (size_t p = 0; p < kPlanes; ++p) {
          dot_four(acc[p][c][i], u[i], planes[p] + column + 4 * Trits::kTermDigit[i]);
        }
      }
      blocks += kTritBlockBytes;
      column += 4 * Trits::kDigits;
    }
  }
  if (kChains == 2 && b < n_blocks) {
    VI u[Trits::kTerms];
    trits.terms(load_bytes(blocks), u);
#pragma GCC unroll 10
    for (size_t i = 0; i < Trits::kTerms; ++i) {
      dot_four(acc[0][0][i], u[i], planes[0] + column + 4 * Trits::kTermDigit[i]);
    }
  }
#pragma GCC unroll 2
  for (size_t p = 0; p < kPlanes; ++p) {
    if constexpr (kChains == 2) {
#pragma GCC unroll 10
      for (size_t i = 0; i < Trits::kTerms; ++i) acc[p][0][i] = vi_add(acc[p][0][i], acc[p][1][i]);
    }
    sums[p] = sum_of_terms<Trits>(acc[p][0]);
  }
}
// More planes: digits, so that one sum a plane and chain is enough.
template <typename Trits, size_t kPlanes>
static TERN_ALWAYS_INLINE void accumulate_digits(const uint8_t* blocks, size_t n_blocks,
                                                 const int8_t* const* planes, size_t column,
                                                 VI* sums) {
  constexpr size_t kChains = kPlanes <= 4 ? 4 : 2;
  const Trits trits = Trits::load();
  VI acc[kPlanes][kChains];
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 4
    for (size_t c = 0; c < kChains; ++c) acc[p][c] = vi_zero();
  }
  for (size_t b = 0; b < n_blocks; ++b) {
    VI u[Trits::kDigits];
    prefetch(blocks + kPrefetchBytes);
    trits.digits(load_once(blocks), u);
#pragma GCC unroll 5
    for (size_t d = 0; d < Trits::kDigits; ++d) {
#pragma GCC unroll 8
      for (size_t p = 0; p < kPlanes; ++p) {
        VI& sum = acc[p][d % kChains];
        dot_four(sum, u[d], planes[p] + column + 4 * d);
      }
    }
    blocks += kTritBlockBytes;
    column += 4 * Trits::kDigits;
  }
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
    sums[p] = acc[p][0];
#pragma GCC unroll 4
    for (size_t c = 1; c < kChains; ++c) sums[p] = vi_add(sums[p], acc[p][c]);
  }
}
template <typename Trits, size_t kPlanes>
static TERN_ALWAYS_INLINE void accumulate(const uint8_t* blocks, size_t n_blocks,
                                          const int8_t* const* planes, size_t column, VI* sums) {
  if constexpr (kPlanes <= 2) {
    accumulate_terms<Trits, kPlanes>(blocks, n_blocks, planes, column, sums);
  } else {
    accumulate_digits<Trits, kPlanes>(blocks, n_blocks, planes, column, sums);
  }
}

// sums[g] = the sum of group g's activations, for sixteen groups or the `n_groups` that there are.
// A last group that is cut short ends in the zeros of the padding.
static inline void load_group_sums(const int8_t* q, size_t group_cols, size_t n_groups,
                                   int32_t* sums) {
  const VI one = _mm512_set1_epi8(1);
  const __mmask16 lanes = first_n(group_cols / 4);
  VI partial[kTileRows];
  for (size_t g = 0; g < kTileRows; ++g) {
    partial[g] = vi_zero();
    if (g >= n_groups) continue;
    for (size_t i = 0; i < group_cols; i += 64) {
      dot(partial[g], one, _mm512_maskz_loadu_epi32(lanes, q + g * group_cols + i));
    }
  }
  _mm512_storeu_si512(sums, reduce16(partial));
}

// The exact sums of up to kMostPlanes planes as floats of tokens: 128 * high + low for two planes.
template <bool kTwoPlanes>
static TERN_ALWAYS_INLINE VI value_sum(const VI* planes, size_t token, size_t n_tokens) {
  if constexpr (!kTwoPlanes) return planes[token];
  return vi_add(vi_times_128(planes[token]), planes[n_tokens + token]);
}
// (4.1): the sums of rows as floats, before which the token's own sum is subtracted.
template <bool kTwoPlanes>
static TERN_ALWAYS_INLINE V scaled(const VI* planes, size_t t, size_t n_tokens,
                                   const QuantizedToken& token, V scale) {
  const VI bias = kTwoPlanes ? vi_set(128 * token.sum + token.sum_low) : vi_set(token.sum);
  const VI sum = vi_sub(value_sum<kTwoPlanes>(planes, t, n_tokens), bias);
  return v_mul(v_from_int(sum), v_mul(scale, v_set(token.step)));
}

// One scale for each group of columns (4.2), sixteen groups at a time: their scales are a row of
// memory for each row of W, and are wanted as lanes.
static inline void load_group_scales(const TernaryView& w, size_t tile, size_t group,
                                     float (*scales)[kTileRows]) {
  const size_t n_groups = w.n_groups();
  const size_t n_rows = rows_of_tile(w, tile);
  const __mmask16 present = first_n(n_groups - group);
  VI rows[kTileRows];
  for (size_t r = 0; r < kTileRows; ++r) {
    const size_t row = tile * kTileRows + (r < n_rows ? r : 0);
    rows[r] = _mm512_maskz_loadu_epi32(present, w.scales + row * n_groups + group);
  }
  VI columns[kTileRows];
  transpose16(rows, columns);
  for (size_t g = 0; g < kTileRows; ++g) _mm512_storeu_si512(scales[g], columns[g]);
}
template <size_t kTokens, bool kTwoPlanes>
static inline void multiply_groups(const TernaryView& w, const QuantizedToken* tokens,
                                   const int8_t* const* planes, size_t tile, V* result) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  const size_t n_blocks = T2Tiles::col_blocks(w.cols);
  const uint8_t* blocks = w.data + tile * n_blocks * kTritBlockBytes;
  const size_t n_groups = w.n_groups();
  const size_t group_blocks = w.group_cols / T2Tiles::kBlockCols;
  float scales[kTileRows][kTileRows];
  int32_t sums[kPlanes][kTileRows];
  for (size_t t = 0; t < kTokens; ++t) result[t] = v_zero();
  for (size_t g = 0; g < n_groups; ++g) {
    const size_t in_sixteen = g % kTileRows;
    if (in_sixteen == 0) {
      load_group_scales(w, tile, g, scales);
      for (size_t p = 0; p < kPlanes; ++p) {
        load_group_sums(planes[p] + g * w.group_cols, w.group_cols, n_groups - g, sums[p]);
      }
    }
    const size_t first = g * group_blocks;
    const size_t count = first + group_blocks < n_blocks ? group_blocks : n_blocks - first;
    const size_t column = first * T2Tiles::kBlockCols;
    VI acc[kPlanes];
    accumulate<FourTrits, kPlanes>(blocks + first * kTritBlockBytes, count, planes, column, acc);
    for (size_t p = 0; p < kPlanes; ++p) acc[p] = vi_sub(acc[p], vi_set(sums[p][in_sixteen]));
    const V scale = v_load(scales[in_sixteen]);
    for (size_t t = 0; t < kTokens; ++t) {
      const VI sum = value_sum<kTwoPlanes>(acc, t, kTokens);
      result[t] = v_add(result[t], v_mul(v_from_int(sum), scale));
    }
  }
  for (size_t t = 0; t < kTokens; ++t) result[t] = v_mul(result[t], v_set(tokens[t].step));
}

// The scales of a tile's rows, one for the tensor or for each row.
static inline V tile_scales(const TernaryView& w, size_t tile) {
  if (w.scale_kind == ScaleKind::tensor) return v_set(w.scales[0]);
  return v_load_any(w.scales + tile * kTileRows, rows_of_tile(w, tile));
}

// The planes of kTokens tokens: all high ones, then all low ones.
template <size_t kTokens, bool kTwoPlanes>
static TERN_ALWAYS_INLINE void list_planes(const ActivationView& a, size_t token,
                                           const int8_t** planes) {
#pragma GCC unroll 8
  for (size_t t = 0; t < kTokens; ++t) {
    const size_t at = (token + t) * a.stride;
    planes[t] = a.high + at;
    if constexpr (kTwoPlanes) planes[kTokens + t] = a.low + at;
  }
}

// Tokens from `token` on that one pass takes.
static inline size_t tokens_of_pass(const ActivationView& a, size_t token) {
  const size_t most = a.low != nullptr ? kMostPlanes / 2 : kMostPlanes;
  return a.n - token < most ? a.n - token : most;
}

// Rows of one tile for kTokens tokens of one or two planes.
template <typename Trits, size_t kTokens, bool kTwoPlanes>
static void multiply_tile(const TernaryView& w, const ActivationView& a, size_t token, size_t tile,
                          float* y, size_t y_stride) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  const int8_t* planes[kPlanes];
  list_planes<kTokens, kTwoPlanes>(a, token, planes);
  V result[kTokens];
  const bool by_group = Trits::kDigits == T2Code::kDigits && w.scale_kind == ScaleKind::group;
  if (by_group) {
    multiply_groups<kTokens, kTwoPlanes>(w, a.tokens + token, planes, tile, result);
  } else {
    const size_t n_blocks = TritTiles<typename Trits::Code>::col_blocks(w.cols);
    VI sums[kPlanes];
    accumulate<Trits, kPlanes>(w.data + tile * n_blocks * kTritBlockBytes, n_blocks, planes, 0,
                               sums);
    const V scale = tile_scales(w, tile);
    for (size_t t = 0; t < kTokens; ++t) {
      result[t] = scaled<kTwoPlanes>(sums, t, kTokens, a.tokens[token + t], scale);
    }
  }
  for (size_t t = 0; t < kTokens; ++t) {
    v_store_any(y + (token + t) * y_stride + tile * kTileRows, rows_of_tile(w, tile), result[t]);
  }
}

// All tokens of one or two planes in as few passes as kMostPlanes allows.
template <typename Trits>
static void multiply_tiles(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                           size_t tile_end, float* y, size_t y_stride) {
  using Multiply =
      void (*)(const TernaryView&, const ActivationView&, size_t, size_t, float*, size_t);
  constexpr Multiply kByTokens[2][kMostPlanes] = {
      {multiply_tile<Trits, 1, false>, multiply_tile<Trits, 2, false>,
       multiply_tile<Trits, 3, false>, multiply_tile<Trits, 4, false>,
       multiply_tile<Trits, 5, false>, multiply_tile<Trits, 6, false>,
       multiply_tile<Trits, 7, false>, multiply_tile<Trits, 8, false>},
      {multiply_tile<Trits, 1, true>, multiply_tile<Trits, 2, true>, multiply_tile<Trits, 3, true>,
       multiply_tile<Trits, 4, true>}};
  for (size_t tile = tile_begin; tile < tile_end; ++tile) {
    for (size_t token = 0; token < a.n;) {
      const size_t count = tokens_of_pass(a, token);
      kByTokens[a.low != nullptr ? 1 : 0][count - 1](w, a, token, tile, y, y_stride);
      token += count;
    }
  }
}
static void multiply_vector(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                            size_t tile_end, float* y, size_t y_stride) {
  TERN_ASSERT(!is_rows(w.packing) && !is_columns(w.packing));
  if (is_five(w.packing)) {
    multiply_tiles<FiveTrits>(w, a, tile_begin, tile_end, y, y_stride);
  } else if constexpr (kFivesAlone) {
    kAvx512VnniKernels.multiply_vector(w, a, tile_begin, tile_end, y, y_stride);
  } else {
    multiply_tiles<FourTrits>(w, a, tile_begin, tile_end, y, y_stride);
  }
}
