// Rows in planes (docs/numerics.md 11.1): one token, sixteen rows at a time, each as it lies in
// memory. Included inside a kernel region after vector_head.inl.hpp and what gives VS and
// kSharedRows: how many rows meet a vector of activations that was loaded once.
//
// A piece of 64 bytes is two or four fields of codes u, each of which meets 64 neighbouring columns
// of either plane of the activations with vs_dot.
//
// Bounds: u of 4 bits is at most five times the 3 that kDotsInSum is for. A row's sum over one
// plane of activations is at most 65536 * 15 * 127 < 2^27.

// Rows that are fetched ahead: 5 KiB of a model's usual 2560 columns.
constexpr size_t kRowsOfPlaneAhead = 4;
static_assert(kBatchRows % kSharedRows == 0);

// Rows, and for each what is fetched meanwhile, a piece for a piece: a row of a list, or of rows
// that lie one behind the other the next pieces as they lie.
struct RowsOfPlane {
  const uint8_t* at[kSharedRows];
  const uint8_t* ahead[kSharedRows];
  size_t ahead_step;
};

// sums[p][r] = the products of row r, of kSharedRows, with plane p of the activations.
template <int kBits>
static inline void sum_pieces(const RowsOfPlane& rows, size_t n_pieces, const int8_t* const* planes,
                              VI* const* sums) {
  constexpr size_t kFields = 8 / kBits;
  constexpr size_t kRun = kDotsInSum / (kBits == 4 ? 5 : 1) / kFields;
  const VB mask = vb_set((1 << kBits) - 1);
  VI totals[2][kSharedRows];
#pragma GCC unroll 4
  for (size_t r = 0; r < kSharedRows; ++r) totals[0][r] = totals[1][r] = vi_zero();
  for (size_t piece = 0; piece < n_pieces;) {
    const size_t end = n_pieces - piece < kRun ? n_pieces : piece + kRun;
    VS sum[2][kSharedRows];
#pragma GCC unroll 4
    for (size_t r = 0; r < kSharedRows; ++r) sum[0][r] = sum[1][r] = vs_zero();
    for (; piece < end; ++piece) {
      VB state[kSharedRows];
#pragma GCC unroll 4
      for (size_t r = 0; r < kSharedRows; ++r) {
        __builtin_prefetch(rows.ahead[r] + rows.ahead_step * piece, 0, 3);
        state[r] = vi_load(rows.at[r] + kPieceBytes * piece);
      }
#pragma GCC unroll 4
      for (size_t f = 0; f < kFields; ++f) {
        const size_t column = kPieceBytes * (kFields * piece + f);
        VB u[kSharedRows];
#pragma GCC unroll 4
        for (size_t r = 0; r < kSharedRows; ++r) {
          u[r] = vb_and(state[r], mask);
          state[r] = vb_shift<kBits>(state[r]);
        }
#pragma GCC unroll 2
        for (size_t p = 0; p < 2; ++p) {
          const VB q = vi_load(planes[p] + column);
#pragma GCC unroll 4
          for (size_t r = 0; r < kSharedRows; ++r) {
            sum[p][r] = vs_dot(sum[p][r], u[r], q);
            vs_settle(&sum[p][r]);
          }
        }
      }
    }
#pragma GCC unroll 2
    for (size_t p = 0; p < 2; ++p) {
#pragma GCC unroll 4
      for (size_t r = 0; r < kSharedRows; ++r) {
        totals[p][r] = vi_add_sums(totals[p][r], sum[p][r]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t r = 0; r < kSharedRows; ++r) {
    sums[0][r] = totals[0][r];
    sums[1][r] = totals[1][r];
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
  const int8_t* const planes[2] = {a.high, a.low};
  for (size_t i = begin; i < end; i += kBatchRows) {
    VI totals[2][kBatchRows];
    for (size_t first = 0; first < kBatchRows; first += kSharedRows) {
      RowsOfPlane shared;
      shared.ahead_step = rows != nullptr ? kPieceBytes : kSharedRows * kPieceBytes;
      for (size_t r = 0; r < kSharedRows; ++r) {
        const size_t row = i + first + kRowsOfPlaneAhead;
        shared.at[r] = row_of(i + first + r);
        shared.ahead[r] = rows != nullptr ? row_of(row + r) : row_of(row) + kPieceBytes * r;
      }
      VI* const sums[2] = {totals[0] + first, totals[1] + first};
      sum_pieces<kBits>(shared, n_pieces, planes, sums);
    }
    int32_t high[kBatchRows];
    int32_t low[kBatchRows];
    vi_store(high, vi_reduce16(totals[0]));
    vi_store(low, vi_reduce16(totals[1]));
    for (size_t r = 0; r < kBatchRows && i + r < end; ++r) {
      const double sum = static_cast<double>(high[r]) * 128.0 + static_cast<double>(low[r]);
      double& dot = dots[index_of(i + r)];
      dot = plane == 0 ? sum * unit : dot + sum * unit;
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
