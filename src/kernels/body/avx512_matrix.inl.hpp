// The matrix product with vpdpbusd (docs/numerics.md 4), from every packing: two tiles unpacked to
// bytes (avx512_unpack.inl.hpp) meet twelve packed tokens (token_packing.inl.hpp). Unpacked tiles
// may have more columns than tokens, which none meets. Included inside an AVX-512 region, after
// both.
//
// Loops, from the outside: batches of tiles, planes, blocks of columns, pairs of tiles, groups of
// tokens. Between blocks of columns the exact sums wait in y, as the bits of an int32.

constexpr size_t kScratchBytes = 2 * kTileRows * kColumnBlock;

// Which part of the sum over columns a call of matrix_step continues.
struct MatrixStep {
  size_t count;  // columns of this block
  bool opens;    // the first block of the high plane: start from -sum
  bool shifts;   // the first block of the low plane: acc = acc * 128 - sum_low
  bool closes;   // the last block of the last plane: scale and write floats
};

// acc[t][i] += u of tile t * token i over n columns: 24 accumulators that must stay in registers,
// so every loop over them is unrolled.
template <size_t kTiles>
static TERN_ALWAYS_INLINE void add_products(const uint8_t* unpacked, const int8_t* packed, size_t n,
                                            VI (*acc)[kTokenTile]) {
  for (size_t c = 0; c < n;
       c += 4, unpacked += kTritBlockBytes * kTiles, packed += 4 * kTokenTile) {
    VI u[kTiles];
#pragma GCC unroll 2
    for (size_t t = 0; t < kTiles; ++t) u[t] = load_bytes(unpacked + kTritBlockBytes * t);
#pragma GCC unroll 12
    for (size_t i = 0; i < kTokenTile; ++i) {
      const VI q = broadcast_four(packed + 4 * i);
#pragma GCC unroll 2
      for (size_t t = 0; t < kTiles; ++t) dot(acc[t][i], u[t], q);
    }
  }
}

// What kTokenTile tokens of a pass start from and where they write: acc = y * 2^shift - bias.
// Beyond the last token the row masks are empty.
struct MatrixTokens {
  float* y[kTokenTile];
  int32_t bias[kTokenTile];
  float step[kTokenTile];
  __mmask16 present[kTokenTile];  // all lanes or none
};

static inline void load_tokens(const ActivationView& a, size_t token, const MatrixStep& step,
                               float* y, size_t y_stride, MatrixTokens& tokens) {
  for (size_t i = 0; i < kTokenTile; ++i) {
    const bool present = token + i < a.n;
    const size_t at = present ? token + i : token;
    const QuantizedToken& q = a.tokens[at];
    tokens.y[i] = y + at * y_stride;
    tokens.bias[i] = step.opens ? q.sum : step.shifts ? q.sum_low : 0;
    tokens.step[i] = q.step;
    tokens.present[i] = first_n(present ? 16 : 0);
  }
}

// One block of columns of kTiles tiles for the tokens; partial sums live in y as int32.
template <size_t kTiles>
static void matrix_step(const MatrixTokens& tokens, const __mmask16* rows, const V* scales,
                        const uint8_t* unpacked, const int8_t* packed, const MatrixStep& step) {
  VI acc[kTiles][kTokenTile];
  const auto opened = static_cast<__mmask16>(step.opens ? 0 : 0xFFFF);
  const __m128i shift = _mm_cvtsi32_si128(step.shifts ? 7 : 0);
#pragma GCC unroll 12
  for (size_t i = 0; i < kTokenTile; ++i) {
#pragma GCC unroll 2
    for (size_t t = 0; t < kTiles; ++t) {
      const VI sum = _mm512_maskz_loadu_epi32(rows[t] & opened, tokens.y[i] + t * kTileRows);
      acc[t][i] = vi_sub(_mm512_sll_epi32(sum, shift), vi_set(tokens.bias[i]));
    }
  }
  add_products<kTiles>(unpacked, packed, step.count, acc);
#pragma GCC unroll 12
  for (size_t i = 0; i < kTokenTile; ++i) {
#pragma GCC unroll 2
    for (size_t t = 0; t < kTiles; ++t) {
      VI result = acc[t][i];
      if (step.closes) {
        const V factor = v_mul(scales[t], v_set(tokens.step[i]));
        result = _mm512_castps_si512(v_mul(v_from_int(result), factor));
      }
      const auto stored = static_cast<__mmask16>(rows[t] & tokens.present[i]);
      _mm512_mask_storeu_epi32(tokens.y[i] + t * kTileRows, stored, result);
    }
  }
}

// Results of the next tokens lie a row of y apart, too far for the hardware to foresee.
template <size_t kTiles>
static inline void prefetch_results(const float* y, size_t y_stride, size_t begin, size_t end) {
  const size_t last = begin + kTokenTile < end ? begin + kTokenTile : end;
  for (size_t token = begin; token < last; ++token) {
    const auto* at = reinterpret_cast<const uint8_t*>(y + token * y_stride);
    for (size_t t = 0; t < kTiles; ++t) prefetch(at + t * kTritBlockBytes);
  }
}

// One block of columns of kTiles tiles for all tokens.
template <typename Unpacker, size_t kTiles>
static void multiply_block(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                           size_t tile, size_t begin, const MatrixStep& step, float* y,
                           size_t y_stride, uint8_t* unpacked) {
  Unpacker::template unpack<kTiles>(w, tile, begin, step.count, unpacked);
  __mmask16 rows[kTiles];
  V scales[kTiles];
  for (size_t t = 0; t < kTiles; ++t) {
    rows[t] = first_n(rows_of_tile(w, tile + t));
    scales[t] = tile_scales(w, tile + t);
  }
  for (size_t token = 0; token < a.n; token += kTokenTile) {
    MatrixTokens tokens;
    load_tokens(a, token, step, y + tile * kTileRows, y_stride, tokens);
    prefetch_results<kTiles>(y + tile * kTileRows, y_stride, token + kTokenTile, a.n);
    const int8_t* group = packed + token * packed_columns(w.cols) + begin * kTokenTile;
    matrix_step<kTiles>(tokens, rows, scales, unpacked, group, step);
  }
}

// Tiles [tile_begin, tile_end): all of them over one block of columns, then the next.
template <typename Unpacker>
static void multiply_tile_batch(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                                size_t tile_begin, size_t tile_end, float* y, size_t y_stride,
                                uint8_t* unpacked) {
  constexpr size_t kBlock = kColumnBlock / Unpacker::kBlockCols * Unpacker::kBlockCols;
  const size_t columns = packed_columns(w.cols);
  const size_t n_planes = a.low != nullptr ? 2 : 1;
  for (size_t plane = 0; plane < n_planes; ++plane) {
    const int8_t* plane_packed = packed + plane * packed_plane_bytes(a.n, w.cols);
    for (size_t begin = 0; begin < columns; begin += kBlock) {
      const size_t count = columns - begin < kBlock ? columns - begin : kBlock;
      const MatrixStep step{count, plane == 0 && begin == 0, plane == 1 && begin == 0,
                            plane + 1 == n_planes && begin + count == columns};
      size_t tile = tile_begin;
      for (; tile + 2 <= tile_end; tile += 2) {
        multiply_block<Unpacker, 2>(w, a, plane_packed, tile, begin, step, y, y_stride, unpacked);
      }
      if (tile < tile_end) {
        multiply_block<Unpacker, 1>(w, a, plane_packed, tile, begin, step, y, y_stride, unpacked);
      }
    }
  }
}

// Units of columns are read whole, and so are a batch; of the others, two tiles are.
template <typename Unpacker>
static void multiply_units(const TernaryView& w, const ActivationView& a, const int8_t* packed,
                           size_t unit_begin, size_t unit_end, float* y, size_t y_stride,
                           void* scratch) {
  constexpr size_t kBatch = Unpacker::kUnitTiles > 2 ? Unpacker::kUnitTiles : 2;
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
