// The ternary products (docs/numerics.md 4) from the definition, a unit of rows at a time.
// Included inside a kernel region.

// One element of the activations: high * 128 + low, or the int8 code.
static inline int32_t value_of(const ActivationView& a, size_t token, size_t column) {
  const size_t at = token * a.stride + column;
  return a.low != nullptr ? a.high[at] * 128 + a.low[at] : a.high[at];
}

// A row's exact sum as float (4.1).
static inline float scaled_sum(const TernaryView& w, size_t row, int32_t sum, float step) {
  return static_cast<float>(sum) * (w.scales[w.scale_kind == ScaleKind::row ? row : 0] * step);
}

// sums[r] = sum of t * value over columns [begin, end) of the tile's row r, for one token.
template <typename Code>
static void tile_sums(const TernaryView& w, size_t tile, const ActivationView& a, size_t token,
                      size_t begin, size_t end, int32_t* sums) {
  using Tiles = TritTiles<Code>;
  constexpr size_t kCols = Tiles::kBlockCols;
  for (size_t r = 0; r < kTileRows; ++r) sums[r] = 0;
  for (size_t b = begin / kCols; b * kCols < end; ++b) {
    int32_t values[kCols];
    for (size_t c = 0; c < kCols; ++c) {
      const size_t col = b * kCols + c;
      values[c] = col >= begin && col < end ? value_of(a, token, col) : 0;
    }
    uint8_t u[kTileRows * kCols];
    const size_t block = tile * Tiles::col_blocks(w.cols) + b;
    Tiles::decode_block(w.data + block * kTritBlockBytes, u, kCols);
    for (size_t r = 0; r < kTileRows; ++r) {
      for (size_t c = 0; c < kCols; ++c) sums[r] += (u[r * kCols + c] - 1) * values[c];
    }
  }
}

template <typename Code>
static void multiply_tile(const TernaryView& w, const ActivationView& a, size_t token, size_t tile,
                          float* y) {
  const float step = a.tokens[token].step;
  const size_t first = tile * kTileRows;
  const size_t count = w.rows - first < kTileRows ? w.rows - first : kTileRows;
  int32_t sums[kTileRows];
  if (w.scale_kind != ScaleKind::group) {
    tile_sums<Code>(w, tile, a, token, 0, w.cols, sums);
    for (size_t r = 0; r < count; ++r) y[first + r] = scaled_sum(w, first + r, sums[r], step);
    return;
  }
  const size_t n_groups = w.n_groups();
  float totals[kTileRows] = {};
  for (size_t g = 0; g < n_groups; ++g) {
    const size_t begin = g * w.group_cols;
    const size_t end = begin + w.group_cols < w.cols ? begin + w.group_cols : w.cols;
    tile_sums<Code>(w, tile, a, token, begin, end, sums);
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
      if (is_five(w.packing)) {
        multiply_tile<T5Code>(w, a, token, tile, y + token * y_stride);
      } else {
        multiply_tile<T2Code>(w, a, token, tile, y + token * y_stride);
      }
    }
  }
}

// The sum of t * value over one line of weights by row.
template <typename Code>
static int32_t row_sum(const TernaryView& w, size_t row, const ActivationView& a, size_t token) {
  const size_t n_blocks = TritLines<Code>::blocks(w.cols);
  const uint8_t* line = w.data + row * n_blocks * kTritBlockBytes;
  int32_t sum = 0;
  for (size_t i = 0; i < n_blocks * kTritBlockBytes; ++i) {
    uint8_t u[Code::kDigits];
    Code::decode(line[i], u, 1);
    const size_t first = i / kTritBlockBytes * TritLines<Code>::kBlockElems + i % kTritBlockBytes;
    for (size_t d = 0; d < Code::kDigits; ++d) {
      const size_t column = first + d * kTritBlockBytes;
      if (column < w.cols) sum += (u[d] - 1) * value_of(a, token, column);
    }
  }
  return sum;
}

static void multiply_rows(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                          size_t begin, size_t end, float* y, size_t y_stride) {
  for (size_t token = 0; token < a.n; ++token) {
    for (size_t i = begin; i < end; ++i) {
      const size_t row = rows != nullptr ? rows[i] : i;
      const int32_t sum = is_five(w.packing) ? row_sum<T5Code>(w, row, a, token)
                                             : row_sum<T2Code>(w, row, a, token);
      y[token * y_stride + row] = scaled_sum(w, row, sum, a.tokens[token].step);
    }
  }
}

// Where the sum of output byte * 64 + digit of a unit lies in its sums: the order in which
// interleaving the bytes of four columns within 128-bit lanes leaves them.
static inline size_t column_sum_index(size_t byte, size_t digit) {
  const size_t lane = byte / 16 * 4 + byte % 4;
  return (digit * 4 + byte % 16 / 4) * 16 + lane;
}

template <typename Code>
static void add_column(const uint8_t* line, size_t n_units, int32_t value, int32_t* sums) {
  for (size_t unit = 0; unit < n_units; ++unit) {
    for (size_t byte = 0; byte < kTritBlockBytes; ++byte) {
      uint8_t u[Code::kDigits];
      Code::decode(line[unit * kTritBlockBytes + byte], u, 1);
      for (size_t d = 0; d < Code::kDigits; ++d) {
        sums[unit * TritLines<Code>::kBlockElems + column_sum_index(byte, d)] += u[d] * value;
      }
    }
  }
}

static void multiply_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                             int32_t* sums) {
  const size_t size = column_sums_size(w);
  const size_t n_units = w.n_units();
  for (size_t i = 0; i < in.n_planes * size; ++i) sums[i] = 0;
  for (size_t i = begin; i < end; ++i) {
    const size_t column = in.columns != nullptr ? in.columns[i] : i;
    const uint8_t* line = w.data + column * n_units * kTritBlockBytes;
    for (size_t p = 0; p < in.n_planes; ++p) {
      const int32_t value = in.values[p * in.stride + i];
      if (is_five(w.packing)) {
        add_column<T5Code>(line, n_units, value, sums + p * size);
      } else {
        add_column<T2Code>(line, n_units, value, sums + p * size);
      }
    }
  }
}

static void finish_columns(const TernaryView& w, const ActivationView& a, const int32_t* parts,
                           size_t n_parts, size_t part_stride, size_t unit_begin, size_t unit_end,
                           float* y, size_t y_stride) {
  const size_t size = column_sums_size(w);
  const size_t unit = unit_rows(w.packing);
  const size_t end = unit_end * unit < w.rows ? unit_end * unit : w.rows;
  for (size_t token = 0; token < a.n; ++token) {
    const QuantizedToken& q = a.tokens[token];
    for (size_t row = unit_begin * unit; row < end; ++row) {
      const size_t in_unit = row % unit;
      const size_t at = row / unit * unit +
                        column_sum_index(in_unit % kTritBlockBytes, in_unit / kTritBlockBytes);
      int32_t sum = -q.sum;
      for (size_t p = 0; p < n_parts; ++p) sum += parts[p * part_stride + token * size + at];
      if (a.low != nullptr) {
        int32_t low = -q.sum_low;
        for (size_t p = 0; p < n_parts; ++p) {
          low += parts[p * part_stride + (a.n + token) * size + at];
        }
        sum = sum * 128 + low;
      }
      y[token * y_stride + row] = scaled_sum(w, row, sum, q.step);
    }
  }
}

// The rows of one block of every column line, for one token: the sums of 64 bytes' digits.
template <typename Code>
static void multiply_unit(const TernaryView& w, const ActivationView& a, size_t token, size_t unit,
                          float* y) {
  constexpr size_t kUnit = TritLines<Code>::kBlockElems;
  int32_t sums[kUnit] = {};
  const size_t n_units = w.n_units();
  for (size_t column = 0; column < w.cols; ++column) {
    const int32_t value = value_of(a, token, column);
    const uint8_t* block = w.data + (column * n_units + unit) * kTritBlockBytes;
    for (size_t byte = 0; byte < kTritBlockBytes; ++byte) {
      uint8_t u[Code::kDigits];
      Code::decode(block[byte], u, 1);
      for (size_t d = 0; d < Code::kDigits; ++d) {
        sums[d * kTritBlockBytes + byte] += (u[d] - 1) * value;
      }
    }
  }
  const size_t first = unit * kUnit;
  for (size_t r = 0; r < kUnit && first + r < w.rows; ++r) {
    y[first + r] = scaled_sum(w, first + r, sums[r], a.tokens[token].step);
  }
}

// The definition needs no other order of the tokens.
static size_t packed_tokens_bytes(size_t, size_t) { return 0; }
static void pack_tokens(const ActivationView&, size_t, size_t, size_t, int8_t*) {}
static void multiply_matrix(const TernaryView& w, const ActivationView& a, const int8_t*,
                            size_t unit_begin, size_t unit_end, float* y, size_t y_stride, void*) {
  if (is_rows(w.packing)) {
    const size_t end = unit_end * kTileRows < w.rows ? unit_end * kTileRows : w.rows;
    multiply_rows(w, a, nullptr, unit_begin * kTileRows, end, y, y_stride);
  } else if (is_columns(w.packing)) {
    for (size_t token = 0; token < a.n; ++token) {
      for (size_t unit = unit_begin; unit < unit_end; ++unit) {
        if (is_five(w.packing)) {
          multiply_unit<T5Code>(w, a, token, unit, y + token * y_stride);
        } else {
          multiply_unit<T2Code>(w, a, token, unit, y + token * y_stride);
        }
      }
    }
  } else {
    multiply_vector(w, a, unit_begin, unit_end, y, y_stride);
  }
}

// Skipping (4.5): what is zero is not read.
static size_t find_live_rows(const float* gate, size_t n, uint32_t first, uint32_t* rows) {
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    if (gate[i] <= 0 && is_finite(gate[i])) continue;
    rows[count++] = first + static_cast<uint32_t>(i);
  }
  return count;
}
static size_t find_nonzero(const int8_t* q, size_t n, uint32_t* columns, int8_t* values) {
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    if (q[i] == 0) continue;
    columns[count] = static_cast<uint32_t>(i);
    values[count++] = q[i];
  }
  return count;
}

// Limits of this table, for benchmarks.
static uint64_t probe_read(const uint8_t* bytes, size_t n) {
  uint64_t sum = 0;
  for (size_t i = 0; i + 8 <= n; i += 8) {
    uint64_t word = 0;
    __builtin_memcpy(&word, bytes + i, 8);
    sum += word;
  }
  return sum;
}
static uint64_t probe_dot(size_t rounds, int32_t* sink) {
  int32_t sum = *sink;
  for (size_t i = 0; i < rounds; ++i) sum += (sum & 3) * static_cast<int8_t>(sum >> 8);
  *sink = sum;
  return rounds;
}
