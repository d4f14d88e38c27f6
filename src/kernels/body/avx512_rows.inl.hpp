// The product over lines by row (T2R, T5R), listed or all: what is not listed is not read
// (docs/numerics.md 4). Included inside an AVX-512 region, after avx512_vector.inl.hpp.
//
// A block of a line meets activations 64 at a time; a row ends as a register of partial sums.
// Sixteen rows are finished together: reduce16 turns their registers into one with a row in each
// lane. Lines of a list lie apart, so the hardware does not foresee them, and the CPU drops a
// prefetch when all its buffers wait: each line is asked for three times, ever nearer.

constexpr size_t kRowPrefetchBytes = 2560;  // the nearest of three distances, each twice the last

static inline size_t listed(const uint32_t* list, size_t i) {
  return list != nullptr ? list[i] : i;
}

// Lines to prefetch beside the one that is worked on; null when another pass did.
struct LinesAhead {
  const uint8_t* lines[3];
};

// sums[p] = partial sums of u * plane p over the line, in lanes.
template <typename Trits, size_t kPlanes, bool kFetch>
static TERN_ALWAYS_INLINE void accumulate_line(const uint8_t* line, size_t n_blocks,
                                               const int8_t* const* planes, const LinesAhead& ahead,
                                               VI* sums) {
  constexpr bool kTerms = kPlanes <= 2;
  constexpr size_t kUsed = kTerms ? Trits::kTerms : Trits::kDigits;
  constexpr size_t kChains = kTerms ? Trits::kTerms : kPlanes <= 4 ? 4 : 2;
  const Trits trits = Trits::load();
  VI acc[kPlanes][kChains];
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 10
    for (size_t c = 0; c < kChains; ++c) acc[p][c] = vi_zero();
  }
  size_t column = 0;
  for (size_t at = 0; at < n_blocks * kTritBlockBytes; at += kTritBlockBytes) {
    if constexpr (kFetch) {
      prefetch(ahead.lines[0] + at);
      prefetch(ahead.lines[1] + at);
      prefetch(ahead.lines[2] + at);
    }
    VI u[kUsed];
    if constexpr (kTerms) {
      trits.terms(load_bytes(line + at), u);
    } else {
      trits.digits(load_bytes(line + at), u);
    }
#pragma GCC unroll 10
    for (size_t i = 0; i < kUsed; ++i) {
      const size_t digit = kTerms ? Trits::kTermDigit[i % Trits::kTerms] : i;
#pragma GCC unroll 8
      for (size_t p = 0; p < kPlanes; ++p) {
        VI& sum = acc[p][i % kChains];
        sum = dot_block(sum, u[i], planes[p] + column + 64 * digit);
      }
    }
    column += 64 * Trits::kDigits;
  }
#pragma GCC unroll 8
  for (size_t p = 0; p < kPlanes; ++p) {
    if constexpr (kTerms) {
      sums[p] = sum_of_terms<Trits>(acc[p]);
    } else {
      sums[p] = acc[p][0];
#pragma GCC unroll 4
      for (size_t c = 1; c < kChains; ++c) sums[p] = vi_add(sums[p], acc[p][c]);
    }
  }
}

// The rows of a call: list [begin, end), sixteen or fewer of which, from `first` on, are a batch.
struct RowBatch {
  const uint32_t* list;
  size_t end;
  size_t first;
  size_t count;
};

template <typename Trits, size_t kTokens, bool kTwoPlanes, bool kFetch>
static void multiply_batch(const TernaryView& w, const ActivationView& a, size_t token,
                           const RowBatch& batch, V scale, float* y, size_t y_stride) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  const size_t n_blocks = TritLines<typename Trits::Code>::blocks(w.cols);
  const size_t line_bytes = n_blocks * kTritBlockBytes;
  const size_t distance = (kRowPrefetchBytes + line_bytes - 1) / line_bytes;
  const int8_t* planes[kPlanes];
  list_planes<kTokens, kTwoPlanes>(a, token, planes);
  VI partial[kPlanes][kTileRows];
  for (size_t r = 0; r < kTileRows; ++r) {
    if (r >= batch.count) {
      for (size_t p = 0; p < kPlanes; ++p) partial[p][r] = vi_zero();
      continue;
    }
    LinesAhead ahead{};
    if constexpr (kFetch) {
      for (size_t i = 0; i < 3; ++i) {
        const size_t next = batch.first + r + (distance << i);
        const size_t last = batch.end - 1;
        ahead.lines[i] = w.data + listed(batch.list, next < last ? next : last) * line_bytes;
      }
    }
    VI sums[kPlanes];
    const uint8_t* line = w.data + listed(batch.list, batch.first + r) * line_bytes;
    accumulate_line<Trits, kPlanes, kFetch>(line, n_blocks, planes, ahead, sums);
    for (size_t p = 0; p < kPlanes; ++p) partial[p][r] = sums[p];
  }
  VI sums[kPlanes];
  for (size_t p = 0; p < kPlanes; ++p) sums[p] = reduce16(partial[p]);
  for (size_t t = 0; t < kTokens; ++t) {
    const V result = scaled<kTwoPlanes>(sums, t, kTokens, a.tokens[token + t], scale);
    float* out = y + (token + t) * y_stride;
    if (batch.list == nullptr) {
      v_store_any(out + batch.first, batch.count, result);
      continue;
    }
    float values[kTileRows];
    v_store(values, result);
    for (size_t r = 0; r < batch.count; ++r) out[batch.list[batch.first + r]] = values[r];
  }
}

// Tokens from `token` on: as many at once as there are registers for, then half as many. The first
// pass brings the lines.
template <typename Trits, size_t kTokens, bool kTwoPlanes>
static void multiply_batch_tokens(const TernaryView& w, const ActivationView& a, size_t token,
                                  const RowBatch& batch, V scale, float* y, size_t y_stride) {
  for (; token + kTokens <= a.n; token += kTokens) {
    if (token == 0) {
      multiply_batch<Trits, kTokens, kTwoPlanes, true>(w, a, token, batch, scale, y, y_stride);
    } else {
      multiply_batch<Trits, kTokens, kTwoPlanes, false>(w, a, token, batch, scale, y, y_stride);
    }
  }
  if constexpr (kTokens > 1) {
    multiply_batch_tokens<Trits, kTokens / 2, kTwoPlanes>(w, a, token, batch, scale, y, y_stride);
  }
}

static inline V listed_scales(const TernaryView& w, const RowBatch& batch) {
  if (w.scale_kind == ScaleKind::tensor) return v_set(w.scales[0]);
  float scales[kTileRows] = {};
  for (size_t r = 0; r < batch.count; ++r)
    scales[r] = w.scales[listed(batch.list, batch.first + r)];
  return v_load(scales);
}

template <typename Trits>
static void multiply_lines(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                           size_t begin, size_t end, float* y, size_t y_stride) {
  for (size_t i = begin; i < end; i += kTileRows) {
    const RowBatch batch{rows, end, i, end - i < kTileRows ? end - i : kTileRows};
    const V scale = listed_scales(w, batch);
    if (a.low != nullptr) {
      multiply_batch_tokens<Trits, kMostPlanes / 2, true>(w, a, 0, batch, scale, y, y_stride);
    } else {
      multiply_batch_tokens<Trits, kMostPlanes, false>(w, a, 0, batch, scale, y, y_stride);
    }
  }
}
static void multiply_rows(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                          size_t begin, size_t end, float* y, size_t y_stride) {
  TERN_ASSERT(is_rows(w.packing));
  if (is_five(w.packing)) {
    multiply_lines<FiveTrits>(w, a, rows, begin, end, y, y_stride);
  } else {
    multiply_lines<FourTrits>(w, a, rows, begin, end, y, y_stride);
  }
}
