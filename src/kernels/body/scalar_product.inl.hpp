// The ternary product (docs/numerics.md 4) from the definition: one output, one column at a time.
// Included inside a kernel region.

// u of one element of a tile packing.
static inline int stored_u(const TernaryView& w, size_t row, size_t col) {
  return w.packing == Packing::t5 ? T5Tiles::get(w.tiles, w.cols, row, col)
                                  : T2Tiles::get(w.tiles, w.cols, row, col);
}

// The exact sum of t * value over columns [begin, end) of one row for one token.
static int64_t exact_dot(const TernaryView& w, size_t row, const ActivationView& a, size_t token,
                         size_t begin, size_t end) {
  int64_t sum = 0;
  for (size_t col = begin; col < end; ++col) {
    const size_t at = token * a.stride + col;
    const int value = a.low != nullptr ? a.high[at] * 128 + a.low[at] : a.high[at];
    sum += static_cast<int64_t>(stored_u(w, row, col) - 1) * value;
  }
  return sum;
}

static float scaled_row(const TernaryView& w, size_t row, const ActivationView& a, size_t token) {
  const float step = a.tokens[token].step;
  if (w.scale_kind != ScaleKind::group) {
    const float scale = w.scales[w.scale_kind == ScaleKind::row ? row : 0];
    return static_cast<float>(exact_dot(w, row, a, token, 0, w.cols)) * (scale * step);
  }
  const size_t n_groups = (w.cols + w.group_cols - 1) / w.group_cols;
  float sum = 0.0f;
  for (size_t g = 0; g < n_groups; ++g) {
    const size_t begin = g * w.group_cols;
    const size_t end = begin + w.group_cols < w.cols ? begin + w.group_cols : w.cols;
    const float acc = static_cast<float>(exact_dot(w, row, a, token, begin, end));
    sum = sum + acc * w.scales[row * n_groups + g];
  }
  return sum * step;
}

static void multiply_vector(const TernaryView& w, const ActivationView& a, size_t tile_begin,
                            size_t tile_end, float* y, size_t y_stride) {
  for (size_t token = 0; token < a.n; ++token) {
    for (size_t row = tile_begin * kTileRows; row < tile_end * kTileRows && row < w.rows; ++row) {
      y[token * y_stride + row] = scaled_row(w, row, a, token);
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
