// int8 rows in the output head with the int8 dot unit: u = code + 128 times each plane of the
// activations, which are read where they lie. Included inside an AVX-512 region, after
// vector_head.inl.hpp and before head_rows.inl.hpp.
//
// What 128 is too much is taken off with the sum of the activations:
//
//     D = 128 * (u . high) + (u . low) - 128 * sum(v)
//
// Bounds: a plane's sum, of which a lane is a part, is at most 65536 * 255 * 127 = 2122383360,
// below 2^31. D is exact as a double: below 2^39.

constexpr size_t kByteStep = 64;
constexpr size_t kI8Tokens = 4;  // together: as many as have registers; more read the rows again

using PlaneTotals = VI[kI8Tokens][2][kBatchRows];  // of the high plane, of the low one

// Sums of a row and kTokens tokens, kChains of each plane: one alone would wait for itself.
template <size_t kChains, size_t kTokens>
struct PlaneSums {
  VI high[kChains][kTokens];
  VI low[kChains][kTokens];

  TERN_ALWAYS_INLINE void add(size_t chain, VI codes, const ActivationView& a, size_t column) {
    const VI u = vi_offset_bytes(codes);
#pragma GCC unroll 4
    for (size_t t = 0; t < kTokens; ++t) {
      dot_block(high[chain][t], u, a.high + t * a.stride + column);
      dot_block(low[chain][t], u, a.low + t * a.stride + column);
    }
  }
};

// Row r of a batch, tokens 0 .. kTokens of a; columns [0, end).
template <size_t kChains, size_t kTokens>
static inline void dot_i8_row(const uint8_t* row, const ActivationView& a, size_t end, size_t r,
                              PlaneTotals& totals) {
  PlaneSums<kChains, kTokens> sums = {};
  size_t c = 0;
  for (; c + kChains * kByteStep <= end; c += kChains * kByteStep) {
    fetch<3>(row + c + kHeadAhead, kChains * kByteStep);
#pragma GCC unroll 4
    for (size_t i = 0; i < kChains; ++i) {
      sums.add(i, load_once(row + c + i * kByteStep), a, c + i * kByteStep);
    }
  }
  for (; c < end; c += kByteStep) {  // activations are zero from k on
    const size_t left = smaller(end - c, kByteStep);
    sums.add(0, _mm512_maskz_loadu_epi8(~__mmask64{0} >> (kByteStep - left), row + c), a, c);
  }
#pragma GCC unroll 4
  for (size_t t = 0; t < kTokens; ++t) {
    VI high = sums.high[0][t];
    VI low = sums.low[0][t];
#pragma GCC unroll 4
    for (size_t i = 1; i < kChains; ++i) {
      high = vi_add(high, sums.high[i][t]);
      low = vi_add(low, sums.low[i][t]);
    }
    totals[t][0][r] = high;
    totals[t][1][r] = low;
  }
}

template <size_t kChains, size_t kTokens>
static void dot_i8_batch(const HeadView& head, size_t row, size_t n_rows, const ActivationView& a,
                         PlaneTotals& totals) {
  for (size_t r = 0; r < kBatchRows; ++r) {  // rows that do not exist are the last one
    const size_t index = row + (r < n_rows ? r : n_rows - 1);
    dot_i8_row<kChains, kTokens>(head.rows + index * head.row_bytes, a, head.k, r, totals);
  }
}

// Of one batch: sums[t][r] = D.
static void sum_i8_batch(const HeadView& head, size_t row, size_t n_rows, const ActivationView& a,
                         double (*sums)[kBatchRows]) {
  const auto dots = a.n == 1   ? dot_i8_batch<4, 1>
                    : a.n == 2 ? dot_i8_batch<2, 2>
                               : dot_i8_batch<1, kI8Tokens>;
  PlaneTotals totals;
  dots(head, row, n_rows, a, totals);
  for (size_t t = 0; t < a.n; ++t) {
    int32_t parts[2][kBatchRows];
#pragma GCC unroll 1
    for (size_t plane = 0; plane < 2; ++plane) {
      vi_store(parts[plane], vi_reduce16(totals[t][plane]));
    }
    const double offset = -128.0 * (static_cast<double>(a.tokens[t].sum) * 128.0 +
                                    static_cast<double>(a.tokens[t].sum_low));
    for (size_t r = 0; r < kBatchRows; ++r) {
      sums[t][r] =
          offset + (static_cast<double>(parts[0][r]) * 128.0 + static_cast<double>(parts[1][r]));
    }
  }
}

static void head_i8_rows(const HeadView& head, const HeadInput& input, size_t begin, size_t end,
                         float* logits, size_t logits_stride) {
  const ActivationView& all = input.codes;
  TERN_ASSERT(head.k <= 65536);
  for (size_t row = begin; row < end; row += kBatchRows) {
    const size_t n_rows = smaller(end - row, kBatchRows);
    double sums[kVectorTokens][kBatchRows];
    size_t group = 0;
    for (size_t t = 0; t < all.n; t += group) {
      const size_t left = all.n - t;
      group = left < kI8Tokens ? smaller(left, 2) : kI8Tokens;
      const ActivationView a = {all.high + t * all.stride, all.low + t * all.stride, all.tokens + t,
                                all.stride, group};
      sum_i8_batch(head, row, n_rows, a, sums + t);
    }
    for (size_t t = 0; t < all.n; ++t) {
      float* out = logits + t * logits_stride + row - begin;
      float rounded[kBatchRows];
      for (size_t r = 0; r < kBatchRows; ++r) rounded[r] = static_cast<float>(sums[t][r]);
      const V scaled = v_mul(v_load(rounded), v_load_n(head.scales + row, n_rows));
      v_store_n(out, n_rows, v_mul(scaled, v_set(all.tokens[t].step)));
    }
  }
}
