// The product over lines by row (T2R, T5R), listed or all: what is not listed is not read
// (docs/numerics.md 4). Included inside an AVX-512 region, after avx512_vector.inl.hpp.
//
// A block of a line meets activations 64 at a time; a row ends as a register of partial sums.
// Sixteen rows are finished together: reduce16 turns their registers into one with a row in each
// lane. Lines of a list lie apart, so the hardware does not foresee them, and the CPU drops a
// prefetch when all its buffers wait: each line is asked for three times, ever nearer. Blocks are
// asked for out of their order, since one that looks like a stream makes the hardware read on
// beyond the line, where nothing is wanted.

constexpr size_t kRowPrefetchBytes = 3072;  // the nearest of three distances, each twice the last

// The order of eight blocks by their first bytes, as 0, 4, 2, 6, 1, 5, 3, 7: the bits of kSwapped
// change places. With `swapped` of zero none do.
constexpr size_t kScattered = 8 * kTritBlockBytes;
constexpr size_t kSwapped = 5 * kTritBlockBytes;
constexpr size_t scattered(size_t at, size_t swapped) {
  const size_t bits = at & swapped;
  return (at ^ bits) | ((bits * 4 + bits / 4) & swapped);
}

static inline size_t listed(const uint32_t* list, size_t i) {
  return list != nullptr ? list[i] : i;
}

// A line, and those to prefetch while it is worked on.
struct LineAndNext {
  const uint8_t* line;
  const uint8_t* next[3];
};

// sums[l][p] = partial sums of u * plane p over line l, in lanes. Lines share the loads of
// activations. One plane: terms, and a sum of each; more: digits, one after the other.
template <typename Trits, size_t kPlanes, size_t kLines>
static TERN_ALWAYS_INLINE void accumulate_lines(const LineAndNext* lines, size_t n_blocks,
                                                const int8_t* const* planes, VI (*sums)[kPlanes]) {
  constexpr bool kTerms = kPlanes == 1;
  constexpr size_t kUsed = kTerms ? Trits::kTerms : Trits::kDigits;
  constexpr size_t kChains = kTerms ? Trits::kTerms : kPlanes <= 2 ? 4 : kPlanes <= 4 ? 2 : 1;
  const Trits trits = Trits::load();
  VI acc[kLines][kPlanes][kChains];
#pragma GCC unroll 2
  for (size_t l = 0; l < kLines; ++l) {
#pragma GCC unroll 8
    for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 10
      for (size_t c = 0; c < kChains; ++c) acc[l][p][c] = vi_zero();
    }
  }
  size_t column = 0;
  const size_t n_bytes = n_blocks * kTritBlockBytes;
  const size_t n_scattered = n_bytes / kScattered * kScattered;
  size_t swapped = n_scattered != 0 ? kSwapped : 0;
  for (size_t at = 0; at < n_bytes; at += kTritBlockBytes) {
    swapped = at == n_scattered ? 0 : swapped;
    const size_t ahead = scattered(at, swapped);
    VI bytes[kLines];
    VI u[kLines][kUsed];
#pragma GCC unroll 2
    for (size_t l = 0; l < kLines; ++l) {
#pragma GCC unroll 3
      for (size_t i = 0; i < 3; ++i) prefetch(lines[l].next[i] + ahead);
      bytes[l] = load_once(lines[l].line + at);
      if constexpr (kTerms) trits.terms(bytes[l], u[l]);
    }
#pragma GCC unroll 10
    for (size_t i = 0; i < kUsed; ++i) {
      const size_t digit = kTerms ? Trits::kTermDigit[i % Trits::kTerms] : i;
      if constexpr (!kTerms) {
#pragma GCC unroll 2
        for (size_t l = 0; l < kLines; ++l) u[l][i] = trits.digit(bytes[l], i);
      }
#pragma GCC unroll 8
      for (size_t p = 0; p < kPlanes; ++p) {
        const VI q = load_bytes(planes[p] + column + 64 * digit);
#pragma GCC unroll 2
        for (size_t l = 0; l < kLines; ++l) dot(acc[l][p][i % kChains], u[l][i], q);
      }
    }
    column += 64 * Trits::kDigits;
  }
#pragma GCC unroll 2
  for (size_t l = 0; l < kLines; ++l) {
#pragma GCC unroll 8
    for (size_t p = 0; p < kPlanes; ++p) {
      if constexpr (kTerms) {
        sums[l][p] = sum_of_terms<Trits>(acc[l][p]);
      } else {
        sums[l][p] = acc[l][p][0];
#pragma GCC unroll 4
        for (size_t c = 1; c < kChains; ++c) sums[l][p] = vi_add(sums[l][p], acc[l][p][c]);
      }
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

template <typename Trits, size_t kTokens, bool kTwoPlanes>
static void multiply_batch(const TernaryView& w, const ActivationView& a, size_t token,
                           const RowBatch& batch, V scale, float* y, size_t y_stride) {
  constexpr size_t kPlanes = kTwoPlanes ? 2 * kTokens : kTokens;
  constexpr size_t kLines = 2;
  const size_t n_blocks = TritLines<typename Trits::Code>::blocks(w.cols);
  const size_t line_bytes = n_blocks * kTritBlockBytes;
  const size_t distance = (kRowPrefetchBytes + line_bytes - 1) / line_bytes;
  const size_t last = batch.end - 1;
  const int8_t* planes[kPlanes];
  list_planes<kTokens, kTwoPlanes>(a, token, planes);
  VI partial[kPlanes][kTileRows];
  for (size_t r = 0; r < kTileRows; r += kLines) {
    VI sums[kLines][kPlanes];
    if (r < batch.count) {
      LineAndNext lines[kLines];
      for (size_t l = 0; l < kLines; ++l) {
        const size_t row = batch.first + r + l;
        lines[l].line = w.data + listed(batch.list, row < last ? row : last) * line_bytes;
        for (size_t i = 0; i < 3; ++i) {
          const size_t next = row + (distance << i);
          lines[l].next[i] = w.data + listed(batch.list, next < last ? next : last) * line_bytes;
        }
      }
      accumulate_lines<Trits, kPlanes, kLines>(lines, n_blocks, planes, sums);
    }
    for (size_t l = 0; l < kLines; ++l) {
      for (size_t p = 0; p < kPlanes; ++p) {
        partial[p][r + l] = r < batch.count ? sums[l][p] : vi_zero();
      }
    }
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
  using Multiply = void (*)(const TernaryView&, const ActivationView&, size_t, const RowBatch&, V,
                            float*, size_t);
  constexpr Multiply kByTokens[2][kMostPlanes] = {
      {multiply_batch<Trits, 1, false>, multiply_batch<Trits, 2, false>,
       multiply_batch<Trits, 3, false>, multiply_batch<Trits, 4, false>,
       multiply_batch<Trits, 5, false>, multiply_batch<Trits, 6, false>,
       multiply_batch<Trits, 7, false>, multiply_batch<Trits, 8, false>},
      {multiply_batch<Trits, 1, true>, multiply_batch<Trits, 2, true>,
       multiply_batch<Trits, 3, true>, multiply_batch<Trits, 4, true>}};
  for (size_t i = begin; i < end; i += kTileRows) {
    const RowBatch batch{rows, end, i, end - i < kTileRows ? end - i : kTileRows};
    const V scale = listed_scales(w, batch);
    for (size_t token = 0; token < a.n;) {
      const size_t count = tokens_of_pass(a, token);
      kByTokens[a.low != nullptr ? 1 : 0][count - 1](w, a, token, batch, scale, y, y_stride);
      token += count;
    }
  }
}
static void multiply_rows(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                          size_t begin, size_t end, float* y, size_t y_stride) {
  TERN_ASSERT(is_rows(w.packing));
  if (is_five(w.packing)) {
    multiply_lines<FiveTrits>(w, a, rows, begin, end, y, y_stride);
  } else if constexpr (kFivesAlone) {
    kAvx512VnniKernels.multiply_rows(w, a, rows, begin, end, y, y_stride);
  } else {
    multiply_lines<FourTrits>(w, a, rows, begin, end, y, y_stride);
  }
}
