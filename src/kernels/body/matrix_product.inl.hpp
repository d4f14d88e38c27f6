// The product of many tokens (docs/numerics.md 4), from every packing: a block of columns of a unit
// of rows is unpacked to bytes once and meets all tokens, kTokenTile at a time, whose sums are
// registers. Included inside a kernel region after vector_product.inl.hpp, row_product.inl.hpp,
// unit_bytes.inl.hpp and token_dots.inl.hpp, or what a table has in its place:
//
//   kTokenTile              tokens of one pass over a byte tile: as many VS as there are registers
//                           for
//   kPackedColumns          neighbouring columns of a token in packed activations, 4 or 8
//   arrange_tile(bytes, n)  n columns of an unpacked byte tile as dot_tokens wants them
//   dot_tokens(bytes, packed, n, part)
//                           part[i] = u of the byte tile * token i over n columns
//
// Between blocks of columns the int32 sums of a token wait in its y. token_packing.inl.hpp packs
// the activations.

// sum[i] += u of the byte tile * token i over n columns.
static inline void add_products(const uint8_t* bytes, const int8_t* packed, size_t n, VI* sum) {
  constexpr size_t kRun = 4 * kDotsInSum;
  for (size_t c = 0; c < n; c += kRun) {
    VS part[kTokenTile];
    dot_tokens(bytes + c * kTileRows, packed + c * kTokenTile, n - c < kRun ? n - c : kRun, part);
    for (size_t i = 0; i < kTokenTile; ++i) sum[i] = vi_add_sums(sum[i], part[i]);
  }
}

// Which rows and tokens, and which part of their sum over columns, a matrix_step continues.
struct MatrixStep {
  size_t row;    // the first of a tile
  size_t token;  // the first of a group
  size_t count;  // columns of this block
  bool opens;    // the first block of the high plane: start from -sum
  bool shifts;   // the first block of the low plane: acc = acc * 128 - sum_low
  bool closes;   // the last block of the last plane: scale and write floats
};

static inline VI load_sums(const float* y, size_t n) {
  if (n >= kTileRows) return vi_load(y);
  int32_t copy[kTileRows] = {};
  __builtin_memcpy(copy, y, n * sizeof(float));
  return vi_load(copy);
}
static inline void store_sums(float* y, size_t n, VI sums) {
  if (n >= kTileRows) {
    vi_store(y, sums);
  } else {
    int32_t copy[kTileRows];
    vi_store(copy, sums);
    __builtin_memcpy(y, copy, n * sizeof(float));
  }
}

static inline void matrix_step(const TernaryView& w, const ActivationView& a, const uint8_t* bytes,
                               const int8_t* packed, const MatrixStep& step, float* y,
                               size_t y_stride) {
  const size_t n_tokens = a.n - step.token < kTokenTile ? a.n - step.token : kTokenTile;
  const size_t n_rows = w.rows - step.row;
  float* at = y + step.token * y_stride + step.row;
  VI sum[kTokenTile];
  for (size_t i = 0; i < kTokenTile; ++i) {
    sum[i] = vi_zero();
    if (i >= n_tokens) continue;
    const QuantizedToken& q = a.tokens[step.token + i];
    sum[i] = step.opens ? vi_set(-q.sum) : load_sums(at + i * y_stride, n_rows);
    if (step.shifts) sum[i] = vi_sub(vi_times_128(sum[i]), vi_set(q.sum_low));
  }
  add_products(bytes, packed, step.count, sum);
  if (!step.closes) {
    for (size_t i = 0; i < n_tokens; ++i) store_sums(at + i * y_stride, n_rows, sum[i]);
    return;
  }
  const V scale =
      w.scale_kind == ScaleKind::row ? v_load_any(w.scales + step.row, n_rows) : v_set(w.scales[0]);
  for (size_t i = 0; i < n_tokens; ++i) {
    const V factor = v_mul(scale, v_set(a.tokens[step.token + i].step));
    v_store_any(at + i * y_stride, n_rows, v_mul(v_from_int(sum[i]), factor));
  }
}

static void multiply_unit(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                          size_t unit, float* y, size_t y_stride, uint8_t* bytes) {
  const size_t columns = packed_columns(w.cols);
  const size_t block = column_block(w.packing);
  const size_t first_row = unit * unit_rows(w.packing);
  const size_t unit_end = first_row + unit_rows(w.packing);
  const size_t end_row = unit_end < w.rows ? unit_end : w.rows;
  const UnpackUnit unpack = kUnpackUnit[static_cast<size_t>(w.packing)];
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  for (size_t plane = 0; plane < n_planes; ++plane) {
    const int8_t* plane_packed = packed + plane * packed_plane_bytes(a.n, w.cols);
    for (size_t begin = 0; begin < columns; begin += block) {
      MatrixStep step{};
      step.count = columns - begin < block ? columns - begin : block;
      step.opens = plane == 0 && begin == 0;
      step.shifts = plane == 1 && begin == 0;
      step.closes = plane + 1 == n_planes && begin + step.count == columns;
      const size_t unpacked = at_most(step.count, (w.cols + 3) / 4 * 4 - begin);
      unpack(w, unit, begin, unpacked, bytes);
      for (step.row = first_row; step.row < end_row; step.row += kTileRows) {
        uint8_t* tile = bytes + (step.row - first_row) * block;
        arrange_tile(tile, unpacked);
        for (step.token = 0; step.token < a.n; step.token += kTokenTile) {
          const int8_t* group = plane_packed + step.token * columns + begin * kTokenTile;
          matrix_step(w, a, tile, group, step, y, y_stride);
        }
      }
    }
  }
}

// Scales by groups of columns (4.2): the integers of a group end with it, and what waits in y are
// floats. u = t + 1 counts the activations of a group once too often; their sums are taken once for
// all rows of a call, and lie behind the byte tile.

constexpr size_t kTileBytes = kTileRows * kColumnBlock;
constexpr size_t kLeastGroup = 32;  // columns
constexpr size_t kMostGroups = kColumnBlock / kLeastGroup;
constexpr size_t kGroupSums = (kScratchBytes - kTileBytes) / sizeof(int32_t);

// Columns [begin, begin + count) of tokens [first, last), n_groups groups.
struct GroupBlock {
  size_t first, last;
  size_t begin, count, n_groups;
  int32_t* sums;  // [token - first][plane][n_groups]
  bool opens;     // the first block: start from +0.0
  bool closes;    // the last one: times the step
};

static void take_group_sums(const ActivationView& a, size_t group_cols, const GroupBlock& block) {
  int32_t* out = block.sums;
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  for (size_t i = block.first * n_planes; i < block.last * n_planes; ++i) {
    const int8_t* plane = i % n_planes == 0 ? a.high : a.low;
    const int8_t* q = plane + i / n_planes * a.stride + block.begin;
    // Beyond the last column are zeros, up to a whole block of sixteen.
    for (size_t c = 0; c < block.count; c += group_cols) {
      *out++ = column_sum(q + c, (at_most(block.count - c, group_cols) + 15) / 16);
    }
  }
}

// kTokenTile tokens from `token` on meet a block of a tile.
static inline void group_step(const TernaryView& w, const ActivationView& a, const uint8_t* bytes,
                              const int8_t* packed, const GroupBlock& block, const V* scales,
                              size_t row, size_t token, float* y, size_t y_stride) {
  const size_t n_tokens = at_most(block.last - token, kTokenTile);
  const size_t n_rows = w.rows - row;
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  const size_t plane_bytes = packed_plane_bytes(a.n, w.cols);
  const int32_t* sums = block.sums + (token - block.first) * n_planes * block.n_groups;
  float* at = y + token * y_stride + row;
  V total[kTokenTile];
  for (size_t i = 0; i < kTokenTile; ++i) {
    const bool waits = i < n_tokens && !block.opens;
    total[i] = waits ? v_load_any(at + i * y_stride, n_rows) : v_zero();
  }
  for (size_t g = 0; g < block.n_groups; ++g) {
    const size_t c = g * w.group_cols;
    const size_t n = at_most(block.count - c, w.group_cols);
    VI high[kTokenTile], low[kTokenTile];
    for (size_t i = 0; i < kTokenTile; ++i) high[i] = low[i] = vi_zero();
    add_products(bytes + c * kTileRows, packed + c * kTokenTile, n, high);
    if (n_planes == 2) {
      add_products(bytes + c * kTileRows, packed + plane_bytes + c * kTokenTile, n, low);
    }
    for (size_t i = 0; i < n_tokens; ++i) {
      const int32_t* of_token = sums + i * n_planes * block.n_groups + g;
      VI sum = vi_sub(high[i], vi_set(of_token[0]));
      if (n_planes == 2) {
        sum = vi_add(vi_times_128(sum), vi_sub(low[i], vi_set(of_token[block.n_groups])));
      }
      total[i] = v_add(total[i], v_mul(v_from_int(sum), scales[g]));
    }
  }
  for (size_t i = 0; i < n_tokens; ++i) {
    if (block.closes) total[i] = v_mul(total[i], v_set(a.tokens[token + i].step));
    v_store_any(at + i * y_stride, n_rows, total[i]);
  }
}

static void multiply_groups_of_units(const TernaryView& w, const ActivationView& a,
                                     const int8_t* packed, size_t unit_begin, size_t unit_end,
                                     const GroupBlock& block, float* y, size_t y_stride,
                                     uint8_t* bytes) {
  const size_t unpacked = at_most(block.count, (w.cols + 3) / 4 * 4 - block.begin);
  for (size_t unit = unit_begin; unit < unit_end; ++unit) {
    unpack_tiles<T2Code>(w, unit, block.begin, unpacked, bytes);
    arrange_tile(bytes, unpacked);
    V scales[kMostGroups];
    for (size_t g = 0; g < block.n_groups; ++g) {
      scales[g] = row_scales(w, unit, block.begin / w.group_cols + g, w.n_groups());
    }
    for (size_t token = block.first; token < block.last; token += kTokenTile) {
      const int8_t* group = packed + token * packed_columns(w.cols) + block.begin * kTokenTile;
      group_step(w, a, bytes, group, block, scales, unit * kTileRows, token, y, y_stride);
    }
  }
}

static void multiply_matrix_groups(const TernaryView& w, const ActivationView& a,
                                   const int8_t* packed, size_t unit_begin, size_t unit_end,
                                   float* y, size_t y_stride, uint8_t* scratch) {
  const size_t columns = packed_columns(w.cols);
  const size_t sums_of_token = kColumnBlock / w.group_cols * (a.low != nullptr ? 2 : 1);
  const size_t at_once = kGroupSums / sums_of_token / kTokenTile * kTokenTile;
  GroupBlock block{};
  block.sums = reinterpret_cast<int32_t*>(scratch + kTileBytes);
  for (; block.first < a.n; block.first += at_once) {
    block.last = at_most(a.n, block.first + at_once);
    for (block.begin = 0; block.begin < columns; block.begin += kColumnBlock) {
      block.count = at_most(columns - block.begin, kColumnBlock);
      block.n_groups = (block.count + w.group_cols - 1) / w.group_cols;
      block.opens = block.begin == 0;
      block.closes = block.begin + block.count == columns;
      take_group_sums(a, w.group_cols, block);
      multiply_groups_of_units(w, a, packed, unit_begin, unit_end, block, y, y_stride, scratch);
    }
  }
}

static void multiply_matrix(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                            size_t unit_begin, size_t unit_end, float* y, size_t y_stride,
                            void* scratch) {
  if (w.scale_kind == ScaleKind::group) {
    multiply_matrix_groups(w, a, packed, unit_begin, unit_end, y, y_stride,
                           static_cast<uint8_t*>(scratch));
    return;
  }
  for (size_t unit = unit_begin; unit < unit_end; ++unit) {
    multiply_unit(w, a, packed, unit, y, y_stride, static_cast<uint8_t*>(scratch));
  }
}
