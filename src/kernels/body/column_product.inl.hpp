// Products over listed columns (T2C, T5C lines; docs/numerics.md 4 and 4.5), and what makes floats
// of their sums. Included inside a kernel region after row_product.inl.hpp.
//
// The bytes of four columns are interleaved, so that the four of one output are neighbours and meet
// four activations at once. Sixteen columns are taken together over the sums, which live in memory:
//
//     sums [plane][unit][digit d][quarter q][16 lanes]: lane 4L + i is output 64 d + 16 L + 4 q + i
//     of the unit, the order in which interleaving within 16 bytes leaves them
//
// The next sixteen columns, which may lie anywhere, are prefetched unit by unit. Digits of T2 are
// multiplied where they lie, so a sum of place i is 4^i times too large until all columns are in:
// at most 64 * 3 * 127 * 65536 < 2^31.

constexpr size_t kColumnGroup = 16;
constexpr size_t kColumnQuads = kColumnGroup / 4;

// Lines of sixteen columns, and of those that come next; lines that are missing repeat the last.
struct ColumnGroup {
  const uint8_t* lines[kColumnGroup];
  const uint8_t* next[kColumnGroup];
  size_t first;  // of the list
  size_t count;
  size_t next_count;
};

static inline size_t listed_column(const ColumnInputs& in, size_t i) {
  return in.columns != nullptr ? in.columns[i] : i;
}

static inline void find_columns(const uint8_t* data, size_t line_bytes, const ColumnInputs& in,
                                size_t begin, size_t end, ColumnGroup* group) {
  group->first = begin;
  group->count = end - begin < kColumnGroup ? end - begin : kColumnGroup;
  for (size_t i = 0; i < kColumnGroup; ++i) {
    const size_t at = i < group->count ? begin + i : end - 1;
    group->lines[i] = data + listed_column(in, at) * line_bytes;
  }
  const size_t left = end - begin - group->count;
  group->next_count = left < kColumnGroup ? left : kColumnGroup;
  for (size_t i = 0; i < group->next_count; ++i) {
    group->next[i] = data + listed_column(in, begin + kColumnGroup + i) * line_bytes;
  }
}

template <typename Code>
constexpr size_t kColumnPlaces = kIsTwo<Code> ? kMostPlaces : 1;

// Adds the products of sixteen columns in one unit to its sums of one plane.
template <typename Code>
static inline void add_unit(const VB (*quads)[4], const int8_t* values, int32_t* sums) {
  for (size_t q = 0; q < 4; ++q) {
    VB state[kColumnQuads];
#pragma GCC unroll 4
    for (size_t g = 0; g < kColumnQuads; ++g) state[g] = vb_open<Code>(quads[g][q]);
#pragma GCC unroll 5
    for (size_t d = 0; d < Code::kDigits; ++d) {
      VS sum = vs_zero();
#pragma GCC unroll 4
      for (size_t g = 0; g < kColumnQuads; ++g) {
        const VB u = vb_digit_in_place<Code, kColumnPlaces<Code>>(&state[g], d);
        sum = vs_dot(sum, u, vb_broadcast4(values + 4 * g));
        vs_settle(&sum);
      }
      int32_t* at = sums + (4 * d + q) * 16;
      vi_store(at, vi_add_sums(vi_load(at), sum));
    }
  }
}

template <typename Code>
static inline void add_columns(const ColumnGroup& group, const ColumnInputs& in, size_t n_units,
                               int32_t* sums) {
  constexpr size_t kUnit = TritLines<Code>::kBlockElems;
  for (size_t unit = 0; unit < n_units; ++unit) {
    const size_t byte = unit * kTritBlockBytes;
    for (size_t i = 0; i < group.next_count; ++i) prefetch(group.next[i] + byte);
    VB quads[kColumnQuads][4];
#pragma GCC unroll 4
    for (size_t g = 0; g < kColumnQuads; ++g) {
      VB four[4];
#pragma GCC unroll 4
      for (size_t i = 0; i < 4; ++i) four[i] = vi_load(group.lines[4 * g + i] + byte);
      vb_interleave4(four, quads[g]);
    }
    for (size_t p = 0; p < in.n_planes; ++p) {
      const int8_t* values = in.values + p * in.stride + group.first;
      int8_t padded[kColumnGroup] = {};
      if (group.count < kColumnGroup) {
        __builtin_memcpy(padded, values, group.count);
        values = padded;
      }
      add_unit<Code>(quads, values, sums + (p * n_units + unit) * kUnit);
    }
  }
}

// Divides the sums of places by 4^place, exactly.
template <typename Code>
static inline void divide_places(int32_t* sums, size_t n_units) {
  for (size_t unit = 0; unit < n_units; ++unit, sums += TritLines<Code>::kBlockElems) {
    for (size_t d = 1; d < Code::kDigits; ++d) {
      for (size_t q = 0; q < 4; ++q) {
        VI sum = vi_load(sums + (4 * d + q) * 16);
        for (size_t i = 0; i < 2 * (d % kColumnPlaces<Code>); ++i) sum = vi_half(sum);
        vi_store(sums + (4 * d + q) * 16, sum);
      }
    }
  }
}

template <typename Code>
static void multiply_column_lines(const TernaryView& w, const ColumnInputs& in, size_t begin,
                                  size_t end, int32_t* sums) {
  const size_t n_units = w.n_units();
  for (size_t i = begin; i < end; i += kColumnGroup) {
    ColumnGroup group;
    find_columns(w.data, n_units * kTritBlockBytes, in, i, end, &group);
    add_columns<Code>(group, in, n_units, sums);
  }
  if (kColumnPlaces < Code >> 1) divide_places<Code>(sums, in.n_planes * n_units);
}

static void multiply_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                             int32_t* sums) {
  __builtin_memset(sums, 0, in.n_planes * column_sums_size(w) * sizeof(int32_t));
  if (is_five(w.packing)) {
    multiply_column_lines<T5Code>(w, in, begin, end, sums);
  } else {
    multiply_column_lines<T2Code>(w, in, begin, end, sums);
  }
}

// The sums of one digit of a unit over all parts: four vectors of sixteen outputs in order.
static inline void gather_sums(const int32_t* parts, size_t n_parts, size_t part_stride, VI* sums) {
  for (size_t q = 0; q < 4; ++q) sums[q] = vi_zero();
  for (size_t p = 0; p < n_parts; ++p) {
    const int32_t* part = parts + p * part_stride;
#pragma GCC unroll 4
    for (size_t q = 0; q < 4; ++q) sums[q] = vi_add(sums[q], vi_load(part + 16 * q));
  }
  vi_transpose4(sums);
}

static void finish_columns(const TernaryView& w, const ActivationView& a, const int32_t* parts,
                           size_t n_parts, size_t part_stride, size_t unit_begin, size_t unit_end,
                           float* y, size_t y_stride) {
  const size_t size = column_sums_size(w);
  const size_t unit = unit_rows(w.packing);
  const size_t end = unit_end * unit < w.rows ? unit_end * unit : w.rows;
  for (size_t t = 0; t < a.n; ++t) {
    const V step = v_set(a.tokens[t].step);
    for (size_t row = unit_begin * unit; row < end; row += 64) {
      VI high[4], low[4];
      gather_sums(parts + t * size + row, n_parts, part_stride, high);
      if (a.low != nullptr) {
        gather_sums(parts + (a.n + t) * size + row, n_parts, part_stride, low);
      }
      for (size_t j = 0; j < 4 && row + 16 * j < end; ++j) {
        const size_t at = row + 16 * j;
        const V scale = w.scale_kind == ScaleKind::row ? v_load_any(w.scales + at, end - at)
                                                       : v_set(w.scales[0]);
        const VI sum = vi_trit_sums(a, t, high[j], a.low != nullptr ? low[j] : high[j]);
        v_store_any(y + t * y_stride + at, end - at, v_mul(v_from_int(sum), v_mul(scale, step)));
      }
    }
  }
}
