// The matrix product with vpdpbusd (docs/numerics.md 4), from every packing: two tiles unpacked to
// bytes (avx512_unpack.inl.hpp) meet twelve packed tokens (token_packing.inl.hpp). Unpacked tiles
// may have more columns than tokens, which none meets. Included inside an AVX-512 region, after
// both.
//
// Loops, from the outside: batches of tiles, planes, blocks of columns, pairs of tiles, groups of
// tokens. Between blocks of columns the exact sums wait in y, as the bits of an int32.

// After the unpacked tiles, where tokens beyond the last write.
constexpr size_t kScratchBytes = kUnpackedBytes + kPairTiles * kTritBlockBytes;

// Which part of the sum over columns a call of matrix_step continues.
struct MatrixStep {
  size_t count;  // columns of this block
  bool opens;    // the first block of the high plane: start from -sum
  bool shifts;   // the first block of the low plane: acc = acc * 128 - sum_low
  bool closes;   // the last block of the last plane: scale and write floats
};

// acc[t][i] += u of tile t * token i over n columns: up to 24 accumulators that must stay in
// registers, so every loop over them is unrolled.
template <size_t kTokens>
static TERN_ALWAYS_INLINE void add_products(const uint8_t* unpacked, const int8_t* packed, size_t n,
                                            VI (*acc)[kTokens]) {
  for (size_t c = 0; c < n;
       c += 4, unpacked += kTritBlockBytes * kPairTiles, packed += 4 * kTokenTile) {
    VI u[kPairTiles];
#pragma GCC unroll 2
    for (size_t t = 0; t < kPairTiles; ++t) u[t] = load_bytes(unpacked + kTritBlockBytes * t);
#pragma GCC unroll 12
    for (size_t i = 0; i < kTokens; ++i) {
      const VI q = broadcast_four(packed + 4 * i);
#pragma GCC unroll 2
      for (size_t t = 0; t < kPairTiles; ++t) dot(acc[t][i], u[t], q);
    }
  }
}

// The rows of a pair of tiles: which exist, and their scales.
struct MatrixRows {
  __mmask16 present[kPairTiles];
  V scales[kPairTiles];
};

static inline MatrixRows load_rows(const TernaryView& w, size_t tile, size_t n_tiles) {
  MatrixRows rows{};
  for (size_t t = 0; t < n_tiles; ++t) {
    rows.present[t] = first_n(rows_of_tile(w, tile + t));
    rows.scales[t] = tile_scales(w, tile + t);
  }
  return rows;
}

// What kTokenTile tokens of a pass start from and where they write: acc = y * 2^shift - bias.
struct MatrixTokens {
  float* y[kTokenTile];
  int32_t bias[kTokenTile];
  float step[kTokenTile];
};

static inline void load_tokens(const ActivationView& a, size_t token, const MatrixStep& step,
                               float* y, size_t y_stride, float* nowhere, MatrixTokens& tokens) {
  for (size_t i = 0; i < kTokenTile; ++i) {
    const bool present = token + i < a.n;
    const size_t at = present ? token + i : token;
    const QuantizedToken& q = a.tokens[at];
    tokens.y[i] = present ? y + at * y_stride : nowhere;
    tokens.bias[i] = step.opens ? q.sum : step.shifts ? q.sum_low : 0;
    tokens.step[i] = q.step;
  }
}

// One block of columns of two tiles for kTokens tokens; partial sums live in y as int32. What opens
// does not look at y: its lines are not in cache, and waiting for them costs a tenth of the time.
template <size_t kTokens>
static void matrix_step(const MatrixTokens& tokens, const MatrixRows& rows, const uint8_t* unpacked,
                        const int8_t* packed, const MatrixStep& step) {
  VI acc[kPairTiles][kTokens];
#pragma GCC unroll 12
  for (size_t i = 0; i < kTokens; ++i) {
    acc[0][i] = acc[1][i] = vi_sub(vi_zero(), vi_set(tokens.bias[i]));
  }
  if (!step.opens) {
    const __m128i shift = _mm_cvtsi32_si128(step.shifts ? 7 : 0);
#pragma GCC unroll 12
    for (size_t i = 0; i < kTokens; ++i) {
#pragma GCC unroll 2
      for (size_t t = 0; t < kPairTiles; ++t) {
        const VI sum = _mm512_maskz_loadu_epi32(rows.present[t], tokens.y[i] + t * kTileRows);
        acc[t][i] = vi_add(acc[t][i], _mm512_sll_epi32(sum, shift));
      }
    }
  }
  add_products<kTokens>(unpacked, packed, step.count, acc);
  if (step.closes) {
#pragma GCC unroll 12
    for (size_t i = 0; i < kTokens; ++i) {
#pragma GCC unroll 2
      for (size_t t = 0; t < kPairTiles; ++t) {
        const V factor = v_mul(rows.scales[t], v_set(tokens.step[i]));
        acc[t][i] = _mm512_castps_si512(v_mul(v_from_int(acc[t][i]), factor));
      }
    }
  }
#pragma GCC unroll 12
  for (size_t i = 0; i < kTokens; ++i) {
#pragma GCC unroll 2
    for (size_t t = 0; t < kPairTiles; ++t) {
      _mm512_mask_storeu_epi32(tokens.y[i] + t * kTileRows, rows.present[t], acc[t][i]);
    }
  }
}

// Sums of the next tokens lie a row of y apart, too far for the hardware to foresee.
static inline void prefetch_sums(const float* y, size_t y_stride, size_t begin, size_t end) {
  const size_t last = begin + kTokenTile < end ? begin + kTokenTile : end;
  for (size_t token = begin; token < last; ++token) {
    const auto* at = reinterpret_cast<const uint8_t*>(y + token * y_stride);
    for (size_t t = 0; t < kPairTiles; ++t) prefetch(at + t * kTritBlockBytes);
  }
}

// The weights of the next pair of tiles, asked for a few at every group of tokens: unpacking would
// wait for memory otherwise.
struct WeightsAhead {
  const uint8_t* at;
  const uint8_t* end;
  size_t bytes;  // at a time

  void ask() {
    for (size_t i = 0; i < bytes && at < end; i += kTritBlockBytes, at += kTritBlockBytes) {
      _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
    }
  }
};

// One block of columns of a pair of tiles for all tokens. Few tokens in the last group take a
// shorter step.
static void multiply_block(const ActivationView& a, const int8_t* packed, size_t group_bytes,
                           const MatrixRows& rows, const MatrixStep& step, float* y,
                           size_t y_stride, uint8_t* scratch, WeightsAhead& ahead) {
  auto* nowhere = reinterpret_cast<float*>(scratch + kUnpackedBytes);
  for (size_t token = 0; token < a.n; token += kTokenTile, packed += group_bytes) {
    MatrixTokens tokens;
    load_tokens(a, token, step, y, y_stride, nowhere, tokens);
    if (!step.opens) prefetch_sums(y, y_stride, token + kTokenTile, a.n);
    ahead.ask();
    if (a.n - token <= kTokenTile / 3) {
      matrix_step<kTokenTile / 3>(tokens, rows, scratch, packed, step);
    } else if (a.n - token <= kTokenTile / 3 * 2) {
      matrix_step<kTokenTile / 3 * 2>(tokens, rows, scratch, packed, step);
    } else {
      matrix_step<kTokenTile>(tokens, rows, scratch, packed, step);
    }
  }
}

// Tiles [tile_begin, tile_end): all of them over one block of columns, then the next.
template <typename Unpacker>
static void multiply_tile_batch(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                                size_t tile_begin, size_t tile_end, float* y, size_t y_stride,
                                uint8_t* scratch) {
  constexpr size_t kBlock = kColumnBlock / Unpacker::kBlockCols * Unpacker::kBlockCols;
  if (a.n == 0) return;
  const size_t columns = packed_columns(w.cols);
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  const size_t n_tiles = T2Tiles::row_tiles(w.rows);
  const size_t tile_bytes = Unpacker::tile_bytes(w);
  const size_t next_end = tile_end + kPairTiles < n_tiles ? tile_end + kPairTiles : n_tiles;
  const size_t n_groups = (a.n + kTokenTile - 1) / kTokenTile;
  const size_t n_steps = n_planes * ((columns + kBlock - 1) / kBlock) * n_groups;
  WeightsAhead ahead{w.data + tile_end * tile_bytes, w.data + next_end * tile_bytes,
                     kPairTiles * tile_bytes / n_steps + 1};
  for (size_t plane = 0; plane < n_planes; ++plane) {
    const int8_t* plane_packed = packed + plane * packed_plane_bytes(a.n, w.cols);
    for (size_t begin = 0; begin < columns; begin += kBlock) {
      const size_t count = columns - begin < kBlock ? columns - begin : kBlock;
      const MatrixStep step{count, plane == 0 && begin == 0, plane == 1 && begin == 0,
                            plane + 1 == n_planes && begin + count == columns};
      for (size_t tile = tile_begin; tile < tile_end; tile += kPairTiles) {
        const size_t n = tile_end - tile < kPairTiles ? tile_end - tile : kPairTiles;
        Unpacker::unpack(w, tile, n, begin, count, scratch);
        multiply_block(a, plane_packed + begin * kTokenTile, kTokenTile * columns,
                       load_rows(w, tile, n), step, y + tile * kTileRows, y_stride, scratch, ahead);
      }
    }
  }
}

// Units of columns are read whole, and so are a batch; of the others, two tiles are.
template <typename Unpacker>
static void multiply_units(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                           size_t unit_begin, size_t unit_end, float* y, size_t y_stride,
                           void* scratch) {
  constexpr size_t kBatch = Unpacker::kUnitTiles > kPairTiles ? Unpacker::kUnitTiles : kPairTiles;
  const size_t n_tiles = T2Tiles::row_tiles(w.rows);
  const size_t end =
      unit_end * Unpacker::kUnitTiles < n_tiles ? unit_end * Unpacker::kUnitTiles : n_tiles;
  for (size_t tile = unit_begin * Unpacker::kUnitTiles; tile < end; tile += kBatch) {
    multiply_tile_batch<Unpacker>(w, a, packed, tile, end - tile < kBatch ? end : tile + kBatch, y,
                                  y_stride, static_cast<uint8_t*>(scratch));
  }
}

template <typename Trits>
static void multiply_units_of(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                              size_t unit_begin, size_t unit_end, float* y, size_t y_stride,
                              void* scratch) {
  using Multiply = void (*)(const TernaryView&, const ActivationView&, const int8_t*, size_t,
                            size_t, float*, size_t, void*);
  const Multiply multiply = is_rows(w.packing)      ? multiply_units<RowUnpacker<Trits>>
                            : is_columns(w.packing) ? multiply_units<ColumnUnpacker<Trits>>
                                                    : multiply_units<TileUnpacker<Trits>>;
  multiply(w, a, packed, unit_begin, unit_end, y, y_stride, scratch);
}

static void multiply_matrix(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                            size_t unit_begin, size_t unit_end, float* y, size_t y_stride,
                            void* scratch) {
  if (w.scale_kind == ScaleKind::group) {  // sums end at every group: the vector kernel does that
    multiply_vector(w, a, unit_begin, unit_end, y, y_stride);
    return;
  }
  if (is_five(w.packing)) {
    multiply_units_of<FiveTrits>(w, a, packed, unit_begin, unit_end, y, y_stride, scratch);
  } else if constexpr (kFivesAlone) {
    kAvx512VnniKernels.multiply_matrix(w, a, packed, unit_begin, unit_end, y, y_stride, scratch);
  } else {
    multiply_units_of<FourTrits>(w, a, packed, unit_begin, unit_end, y, y_stride, scratch);
  }
}
