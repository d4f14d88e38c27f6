// Rows in planes (docs/numerics.md 11.1): one token, sixteen rows at a time, each as it lies in
// memory. Included inside a kernel region after vector_head.inl.hpp and what gives VS.
//
// A piece of 64 bytes is two or four fields of codes u, each of which meets 64 neighbouring columns
// of either plane of the activations with vs_dot.
//
// Bounds: u of 4 bits is at most five times the 3 that kDotsInSum is for. A row's sum over one
// plane of activations is at most 65536 * 15 * 127 < 2^27.

// totals[p] += the products of pieces [0, n_pieces) with plane p, of two.
template <int kBits>
static inline void sum_pieces(const uint8_t* row, const uint8_t* ahead, size_t n_pieces,
                              const int8_t* high, const int8_t* low, VI* totals) {
  constexpr size_t kFields = 8 / kBits;
  constexpr size_t kRun = kDotsInSum / (kBits == 4 ? 5 : 1) / kFields;
  const VB mask = vb_set((1 << kBits) - 1);
  for (size_t p = 0; p < n_pieces;) {
    const size_t end = n_pieces - p < kRun ? n_pieces : p + kRun;
    VS sum_high = vs_zero();
    VS sum_low = vs_zero();
    for (; p < end; ++p) {
      __builtin_prefetch(ahead + kPieceBytes * p, 0, 2);
      VB state = vi_load(row + kPieceBytes * p);
#pragma GCC unroll 4
      for (size_t f = 0; f < kFields; ++f) {
        const size_t column = kPieceBytes * (kFields * p + f);
        const VB u = vb_and(state, mask);
        state = vb_shift<kBits>(state);
        sum_high = vs_dot(sum_high, u, vi_load(high + column));
        sum_low = vs_dot(sum_low, u, vi_load(low + column));
        vs_settle(&sum_high);
        vs_settle(&sum_low);
      }
    }
    totals[0] = vi_add_sums(totals[0], sum_high);
    totals[1] = vi_add_sums(totals[1], sum_low);
  }
}

template <int kBits>
static void add_plane(const HeadView& head, size_t plane, const ActivationView& a,
                      const uint32_t* rows, size_t begin, size_t end, double* dots) {
  const size_t n_pieces = plane_row_bytes(head.k, plane) / kPieceBytes;
  const double unit = static_cast<double>(size_t{1} << plane_shift(plane));
  const auto index_of = [&](size_t i) -> size_t {  // rows that do not exist are the last one
    const size_t index = i < end ? i : end - 1;
    return rows != nullptr ? rows[index] : index;
  };
  const auto row_of = [&](size_t i) -> const uint8_t* {
    return head.rows + plane_row_at(head.k, plane, index_of(i));
  };
  for (size_t i = begin; i < end; i += kBatchRows) {
    VI totals[2][kBatchRows];
    for (size_t r = 0; r < kBatchRows; ++r) {
      VI sums[2] = {vi_zero(), vi_zero()};
      sum_pieces<kBits>(row_of(i + r), row_of(i + r + kBatchRows), n_pieces, a.high, a.low, sums);
      totals[0][r] = sums[0];
      totals[1][r] = sums[1];
    }
    int32_t high[kBatchRows];
    int32_t low[kBatchRows];
    vi_store(high, vi_reduce16(totals[0]));
    vi_store(low, vi_reduce16(totals[1]));
    for (size_t r = 0; r < kBatchRows && i + r < end; ++r) {
      const double sum = static_cast<double>(high[r]) * 128.0 + static_cast<double>(low[r]);
      double& dot = dots[index_of(i + r)];
      dot = dot + sum * unit;
    }
  }
}

static void plane_dots(const HeadView& head, size_t plane, const ActivationView& a,
                       const uint32_t* rows, size_t begin, size_t end, double* dots) {
  if (plane == 0) {
    add_plane<4>(head, plane, a, rows, begin, end, dots);
  } else {
    add_plane<2>(head, plane, a, rows, begin, end, dots);
  }
}
