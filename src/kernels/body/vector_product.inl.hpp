// The ternary product of docs/numerics.md 4 for a few tokens over tiles, written once for every
// vector instruction set: which planes meet which tile, and what scales the sums.
// Included inside a kernel region after vector_float.inl.hpp and these, from tile_sums.inl.hpp or
// by hand:
//
//   kMostPlanes                       planes of activations in one pass over a tile, a power of two
//   accumulate<Code, kPlanes>(blocks, n_blocks, planes, column, acc)
//                                     acc[p] = sum over the blocks of u * plane p from `column` on
//   column_sum(q, n_blocks)           the sum of 16 * n_blocks activations
//
// u = t + 1 counts every activation once too often, so their sum is subtracted: it came with the
// token, and is taken again for each group of columns.

static inline size_t rows_of_tile(const TernaryView& w, size_t tile) {
  const size_t left = w.rows - tile * kTileRows;
  return left < kTileRows ? left : kTileRows;
}

// The scales of a tile's rows in group `g` of `n_groups` (1 for a scale a row).
static inline V row_scales(const TernaryView& w, size_t tile, size_t g, size_t n_groups) {
  const size_t first = tile * kTileRows;
  const size_t n = rows_of_tile(w, tile);
  if (n_groups == 1) return v_load_any(w.scales + first, n);
  float scales[kTileRows] = {};
  for (size_t r = 0; r < n; ++r) scales[r] = w.scales[(first + r) * n_groups + g];
  return v_load(scales);
}

// One scale for the tensor or for each row (4.1).
template <typename Code, size_t kTokens, bool kTwoPlanes>
static inline void multiply_whole(const TernaryView& w, const QuantizedToken* tokens,
                                  const int8_t* const* planes, size_t tile, V* result) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  const size_t n_blocks = TritTiles<Code>::col_blocks(w.cols);
  VI acc[kPlanes];
  accumulate<Code, kPlanes>(w.data + tile * n_blocks * kTritBlockBytes, n_blocks, planes, 0, acc);
  const V scale =
      w.scale_kind == ScaleKind::tensor ? v_set(w.scales[0]) : row_scales(w, tile, 0, 1);
  for (size_t t = 0; t < kTokens; ++t) {
    VI sum = vi_sub(acc[t], vi_set(tokens[t].sum));
    if constexpr (kTwoPlanes) {
      const VI low = vi_sub(acc[kTokens + t], vi_set(tokens[t].sum_low));
      sum = vi_add(vi_times_128(sum), low);
    }
    result[t] = v_mul(v_from_int(sum), v_mul(scale, v_set(tokens[t].step)));
  }
}

// One scale for each group of columns (4.2); they occur with T2 only.
template <size_t kTokens, bool kTwoPlanes>
static inline void multiply_groups(const TernaryView& w, const QuantizedToken* tokens,
                                   const int8_t* const* planes, size_t tile, V* result) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  const size_t n_blocks = T2Tiles::col_blocks(w.cols);
  const uint8_t* blocks = w.data + tile * n_blocks * kTritBlockBytes;
  const size_t n_groups = w.n_groups();
  const size_t group_blocks = w.group_cols / T2Tiles::kBlockCols;
  for (size_t t = 0; t < kTokens; ++t) result[t] = v_zero();
  for (size_t g = 0; g < n_groups; ++g) {
    const size_t first = g * group_blocks;
    const size_t count = first + group_blocks < n_blocks ? group_blocks : n_blocks - first;
    const size_t column = first * T2Tiles::kBlockCols;
    VI acc[kPlanes];
    accumulate<T2Code, kPlanes>(blocks + first * kTritBlockBytes, count, planes, column, acc);
    for (size_t p = 0; p < kPlanes; ++p) {
      acc[p] = vi_sub(acc[p], vi_set(column_sum(planes[p] + column, count)));
    }
    const V scale = row_scales(w, tile, g, n_groups);
    for (size_t t = 0; t < kTokens; ++t) {
      VI sum = acc[t];
      if constexpr (kTwoPlanes) sum = vi_add(vi_times_128(sum), acc[kTokens + t]);
      result[t] = v_add(result[t], v_mul(v_from_int(sum), scale));
    }
  }
  for (size_t t = 0; t < kTokens; ++t) result[t] = v_mul(result[t], v_set(tokens[t].step));
}

// Rows of one tile for kTokens tokens of one or two planes.
template <typename Code, size_t kTokens, bool kTwoPlanes>
static inline void multiply_tile(const TernaryView& w, const ActivationView& a, size_t token,
                                 size_t tile, float* y, size_t y_stride) {
  const int8_t* planes[kTwoPlanes ? 2 * kTokens : kTokens];
  for (size_t t = 0; t < kTokens; ++t) {
    const size_t at = (token + t) * a.stride;
    planes[t] = a.high + at;
    if constexpr (kTwoPlanes) planes[kTokens + t] = a.low + at;
  }
  V result[kTokens];
  if (Code::kDigits == T2Code::kDigits && w.scale_kind == ScaleKind::group) {
    multiply_groups<kTokens, kTwoPlanes>(w, a.tokens + token, planes, tile, result);
  } else {
    multiply_whole<Code, kTokens, kTwoPlanes>(w, a.tokens + token, planes, tile, result);
  }
  for (size_t t = 0; t < kTokens; ++t) {
    v_store_any(y + (token + t) * y_stride + tile * kTileRows, rows_of_tile(w, tile), result[t]);
  }
}

// Tokens from `token` on: as many at once as there are registers for, then half as many.
template <typename Code, size_t kTokens, bool kTwoPlanes>
static void multiply_tokens(const TernaryView& w, const ActivationView& a, size_t token,
                            size_t tile, float* y, size_t y_stride) {
  for (; token + kTokens <= a.n; token += kTokens) {
    multiply_tile<Code, kTokens, kTwoPlanes>(w, a, token, tile, y, y_stride);
  }
  if constexpr (kTokens > 1) {
    multiply_tokens<Code, kTokens / 2, kTwoPlanes>(w, a, token, tile, y, y_stride);
  }
}

// Weights come from memory once: all tokens pass over a tile while it is in cache.
template <typename Code>
static void multiply_tiles(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                           size_t tile_end, float* y, size_t y_stride) {
  for (size_t tile = tile_begin; tile < tile_end; ++tile) {
    if (a.low != nullptr) {
      multiply_tokens<Code, kMostPlanes / 2, true>(w, a, 0, tile, y, y_stride);
    } else {
      multiply_tokens<Code, kMostPlanes, false>(w, a, 0, tile, y, y_stride);
    }
  }
}

static void multiply_vector(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                            size_t tile_end, float* y, size_t y_stride) {
  if (is_five(w.packing)) {
    multiply_tiles<T5Code>(w, a, tile_begin, tile_end, y, y_stride);
  } else {
    multiply_tiles<T2Code>(w, a, tile_begin, tile_end, y, y_stride);
  }
}
