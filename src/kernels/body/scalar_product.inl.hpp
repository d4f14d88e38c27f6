// The ternary product (docs/numerics.md 4) from the definition, a tile of rows at a time.
// Included inside a kernel region.

// sums[r] = sum of t * value over columns [begin, end) of the tile's row r, for one token.
template <typename Tiles>
static void tile_sums(const TernaryView& w, size_t tile, const ActivationView& a, size_t token,
                      size_t begin, size_t end, int32_t* sums) {
  constexpr size_t kCols = Tiles::kBlockCols;
  for (size_t r = 0; r < kTileRows; ++r) sums[r] = 0;
  for (size_t b = begin / kCols; b * kCols < end; ++b) {
    int32_t values[kCols];
    for (size_t c = 0; c < kCols; ++c) {
      const size_t col = b * kCols + c;
      const size_t at = token * a.stride + col;
      const int32_t value = a.low != nullptr ? a.high[at] * 128 + a.low[at] : a.high[at];
      values[c] = col >= begin && col < end ? value : 0;
    }
    uint8_t u[kTileRows * kCols];
    const size_t block = tile * Tiles::col_blocks(w.cols) + b;
    Tiles::decode_block(w.data + block * kTritBlockBytes, u, kCols);
    for (size_t r = 0; r < kTileRows; ++r) {
      for (size_t c = 0; c < kCols; ++c) sums[r] += (u[r * kCols + c] - 1) * values[c];
    }
  }
}

template <typename Tiles>
static void multiply_tile(const TernaryView& w, const ActivationView& a, size_t token, size_t tile,
                          float* y) {
  const float step = a.tokens[token].step;
  const size_t first = tile * kTileRows;
  const size_t count = w.rows - first < kTileRows ? w.rows - first : kTileRows;
  int32_t sums[kTileRows];
  if (w.scale_kind != ScaleKind::group) {
    tile_sums<Tiles>(w, tile, a, token, 0, w.cols, sums);
    for (size_t r = 0; r < count; ++r) {
      const float scale = w.scales[w.scale_kind == ScaleKind::row ? first + r : 0];
      y[first + r] = static_cast<float>(sums[r]) * (scale * step);
    }
    return;
  }
  const size_t n_groups = w.n_groups();
  float totals[kTileRows] = {};
  for (size_t g = 0; g < n_groups; ++g) {
    const size_t begin = g * w.group_cols;
    const size_t end = begin + w.group_cols < w.cols ? begin + w.group_cols : w.cols;
    tile_sums<Tiles>(w, tile, a, token, begin, end, sums);
    for (size_t r = 0; r < count; ++r) {
      const float scale = w.scales[(first + r) * n_groups + g];
      totals[r] = totals[r] + static_cast<float>(sums[r]) * scale;
    }
  }
  for (size_t r = 0; r < count; ++r) y[first + r] = totals[r] * step;
}

static void multiply_vector(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                            size_t tile_end, float* y, size_t y_stride) {
  for (size_t token = 0; token < a.n; ++token) {
    for (size_t tile = tile_begin; tile < tile_end; ++tile) {
      if (w.packing == Packing::t5) {
        multiply_tile<T5Tiles>(w, a, token, tile, y + token * y_stride);
      } else {
        multiply_tile<T2Tiles>(w, a, token, tile, y + token * y_stride);
      }
    }
  }
}

// The definition needs no other order of the tokens.
static size_t packed_tokens_bytes(size_t, size_t) { return 0; }
static void pack_tokens(const ActivationView&, size_t, size_t, size_t, int8_t*) {}
static void multiply_matrix(const TernaryView& w, const ActivationView& a, const int8_t*,
                            size_t tile_begin, size_t tile_end, float* y, size_t y_stride, void*) {
  multiply_vector(w, a, tile_begin, tile_end, y, y_stride);
}
