// Products over listed rows (T2R, T5R lines; docs/numerics.md 4 and 4.5): 64 neighbouring digits
// meet 64 neighbouring activations, and one transposed reduction sums the lanes of sixteen rows.
// Included inside a kernel region after tile_sums.inl.hpp. The lines of the next sixteen rows,
// which may lie anywhere, are prefetched block by block while these are read.

constexpr size_t kRowGroup = 16;

// Lines of sixteen rows, and of those that come next.
struct RowGroup {
  const uint8_t* lines[kRowGroup];
  const uint8_t* next[kRowGroup];
  size_t index[kRowGroup];
  size_t count;
};

static inline void find_lines(const uint8_t* data, size_t line_bytes, const uint32_t* rows,
                              size_t begin, size_t end, RowGroup* group) {
  group->count = end - begin < kRowGroup ? end - begin : kRowGroup;
  for (size_t i = 0; i < group->count; ++i) {
    const size_t at = begin + i;
    const size_t later = at + kRowGroup < end ? at + kRowGroup : at;
    group->index[i] = rows != nullptr ? rows[at] : at;
    group->lines[i] = data + group->index[i] * line_bytes;
    group->next[i] = data + (rows != nullptr ? rows[later] : later) * line_bytes;
  }
}

// sums[p][row + r] = sums by lane of u * plane p over the lines of rows [row, row + kRows).
template <typename Code, size_t kRows, size_t kPlanes>
static inline void add_lines(const RowGroup& group, size_t row, size_t n_blocks,
                             const int8_t* const* planes, VI (*sums)[kRowGroup]) {
  constexpr size_t kRun = kDotsInSum / Code::kDigits;
  VI acc[kRows][kPlanes];
  for (size_t i = 0; i < kRows * kPlanes; ++i) acc[i / kPlanes][i % kPlanes] = vi_zero();
  for (size_t b = 0; b < n_blocks;) {
    const size_t end = n_blocks - b < kRun ? n_blocks : b + kRun;
    VS part[kRows][kPlanes];
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows * kPlanes; ++i) part[i / kPlanes][i % kPlanes] = vs_zero();
    for (; b < end; ++b) {
      VB state[kRows];
#pragma GCC unroll 4
      for (size_t r = 0; r < kRows; ++r) {
        prefetch(group.next[row + r] + kTritBlockBytes * b);
        state[r] = vb_open<Code>(vi_load(group.lines[row + r] + kTritBlockBytes * b));
      }
      const size_t at = TritLines<Code>::kBlockElems * b;
#pragma GCC unroll 5
      for (size_t d = 0; d < Code::kDigits; ++d) {
        VB u[kRows];
#pragma GCC unroll 4
        for (size_t r = 0; r < kRows; ++r) u[r] = vb_digit<Code>(&state[r]);
#pragma GCC unroll 4
        for (size_t p = 0; p < kPlanes; ++p) {
          const VB q = vi_load(planes[p] + at + kTritBlockBytes * d);
#pragma GCC unroll 4
          for (size_t r = 0; r < kRows; ++r) {
            part[r][p] = vs_dot(part[r][p], u[r], q);
            vs_settle(&part[r][p]);
          }
        }
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < kRows * kPlanes; ++i) {
      VI& sum = acc[i / kPlanes][i % kPlanes];
      sum = vi_add_sums(sum, part[i / kPlanes][i % kPlanes]);
    }
  }
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t p = 0; p < kPlanes; ++p) sums[p][row + r] = acc[r][p];
  }
}

// sums[p] lane i = sum of u * plane p over the line of row i of the group.
template <typename Code, size_t kPlanes>
static inline void sum_lines(const RowGroup& group, size_t n_blocks, const int8_t* const* planes,
                             VI* sums) {
  constexpr size_t kRows = kPlanes == 1 ? kRowsAtOnce : 1;
  VI by_lane[kPlanes][kRowGroup];
  size_t row = 0;
  for (; row + kRows <= group.count; row += kRows) {
    add_lines<Code, kRows, kPlanes>(group, row, n_blocks, planes, by_lane);
  }
  for (; row < group.count; ++row) {
    add_lines<Code, 1, kPlanes>(group, row, n_blocks, planes, by_lane);
  }
  for (size_t p = 0; p < kPlanes; ++p) {
    for (size_t i = group.count; i < kRowGroup; ++i) by_lane[p][i] = vi_zero();
    sums[p] = vi_reduce16(by_lane[p]);
  }
}

// All high planes, then all low ones; returns how many.
static inline size_t list_planes(const ActivationView& a, const int8_t** planes) {
  for (size_t t = 0; t < a.n; ++t) {
    planes[t] = a.high + t * a.stride;
    if (a.low != nullptr) planes[a.n + t] = a.low + t * a.stride;
  }
  return a.low != nullptr ? 2 * a.n : a.n;
}

// sum(t * value) of token t from the sums of u * plane, by plane.
static inline VI vi_trit_sums(const ActivationView& a, size_t t, VI high, VI low) {
  const VI sum = vi_sub(high, vi_set(a.tokens[t].sum));
  if (a.low == nullptr) return sum;
  return vi_add(vi_times_128(sum), vi_sub(low, vi_set(a.tokens[t].sum_low)));
}

static inline void finish_rows(const TernaryView& w, const ActivationView& a, const RowGroup& group,
                               const VI* sums, float* y, size_t y_stride) {
  const bool by_row = w.scale_kind == ScaleKind::row;
  float scales[kRowGroup] = {};
  for (size_t i = 0; i < group.count; ++i) scales[i] = w.scales[by_row ? group.index[i] : 0];
  for (size_t t = 0; t < a.n; ++t) {
    const VI sum = vi_trit_sums(a, t, sums[t], sums[a.low != nullptr ? a.n + t : t]);
    const V factor = v_mul(v_load(scales), v_set(a.tokens[t].step));
    float results[kRowGroup];
    v_store(results, v_mul(v_from_int(sum), factor));
    for (size_t i = 0; i < group.count; ++i) y[t * y_stride + group.index[i]] = results[i];
  }
}

template <typename Code>
static void multiply_row_lines(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                               size_t begin, size_t end, float* y, size_t y_stride) {
  const size_t n_blocks = TritLines<Code>::blocks(w.cols);
  const int8_t* planes[2 * kVectorTokens];
  const size_t n_planes = list_planes(a, planes);
  for (size_t i = begin; i < end; i += kRowGroup) {
    RowGroup group;
    find_lines(w.data, n_blocks * kTritBlockBytes, rows, i, end, &group);
    VI sums[2 * kVectorTokens];
    size_t p = 0;
    for (; p + 4 <= n_planes; p += 4) sum_lines<Code, 4>(group, n_blocks, planes + p, sums + p);
    for (; p + 2 <= n_planes; p += 2) sum_lines<Code, 2>(group, n_blocks, planes + p, sums + p);
    for (; p < n_planes; ++p) sum_lines<Code, 1>(group, n_blocks, planes + p, sums + p);
    finish_rows(w, a, group, sums, y, y_stride);
  }
}

static void multiply_rows(const TernaryView& w, const ActivationView& a, const uint32_t* rows,
                          size_t begin, size_t end, float* y, size_t y_stride) {
  if (is_five(w.packing)) {
    multiply_row_lines<T5Code>(w, a, rows, begin, end, y, y_stride);
  } else {
    multiply_row_lines<T2Code>(w, a, rows, begin, end, y, y_stride);
  }
}
