// The product over lines by column (T2C, T5C), listed or all: what is not listed is not read
// (docs/numerics.md 4). Included inside an AVX-512 region, after avx512_vector.inl.hpp.
//
// Interleaving the bytes of four columns within 128-bit lanes puts what one output sums into one
// lane, for a quarter of a block's 64 bytes at a time:
//
//     lane 4L + i of quarter q:  byte 16L + 4q + i of columns c0, c1, c2, c3
//
// so that one vpdpbusd a digit meets four broadcast activations. Columns are taken sixteen at a
// time over all blocks; their sums stay in cache, in the order [unit][digit][quarter][lane], and
// the columns of the next group are prefetched meanwhile.
// Bound: a group adds at most 16 * 255 * 127 to a lane of 32 bits; sums are those of
// docs/numerics.md 4.4.

constexpr size_t kGroupColumns = 16;
constexpr size_t kGroupQuads = kGroupColumns / 4;
constexpr size_t kCachedUnits = 16;  // times planes, of sums: 20 KiB of T5
static_assert(kCachedUnits >= 2 * kVectorTokens);

// Columns of one group: their lines, the values of each plane, and lines to prefetch. A last quad
// that is not full repeats a line, with values of zero.
struct ColumnGroup {
  const uint8_t* lines[kGroupColumns];
  const uint8_t* next[2][kGroupColumns];
  size_t n_quads;
  alignas(64) int8_t values[2 * kVectorTokens][kGroupColumns];
};

// Lines of columns [first, first + kGroupColumns) of the list, the last one for those beyond it.
static inline void list_lines(const TernaryView& w, const ColumnInputs& in, size_t first,
                              size_t end, size_t line_bytes, const uint8_t** lines) {
  for (size_t i = 0; i < kGroupColumns; ++i) {
    const size_t at = first + i < end ? first + i : end - 1;
    lines[i] = w.data + listed(in.columns, at) * line_bytes;
  }
}
static inline void load_group(const TernaryView& w, const ColumnInputs& in, size_t begin,
                              size_t end, size_t line_bytes, ColumnGroup& group) {
  list_lines(w, in, begin, end, line_bytes, group.lines);
  list_lines(w, in, begin + kGroupColumns, end, line_bytes, group.next[0]);
  list_lines(w, in, begin + 2 * kGroupColumns, end, line_bytes, group.next[1]);
  const size_t count = end - begin < kGroupColumns ? end - begin : kGroupColumns;
  group.n_quads = (count + 3) / 4;
  for (size_t p = 0; p < in.n_planes; ++p) {
    const int8_t* values = in.values + p * in.stride + begin;
    for (size_t i = 0; i < kGroupColumns; i += 16) {
      const __mmask16 present = i < count ? first_n(count - i) : first_n(0);
      _mm_store_si128(reinterpret_cast<__m128i*>(group.values[p] + i),
                      _mm_maskz_loadu_epi8(present, values + i));
    }
  }
}

// Two quarters of a block of four columns, interleaved: 0 and 1, or 2 and 3.
template <bool kUpper>
static TERN_ALWAYS_INLINE void interleave(const uint8_t* const* lines, size_t at, VI* quarters) {
  const VI c0 = load_bytes(lines[0] + at);
  const VI c1 = load_bytes(lines[1] + at);
  const VI c2 = load_bytes(lines[2] + at);
  const VI c3 = load_bytes(lines[3] + at);
  const VI low = kUpper ? _mm512_unpackhi_epi8(c0, c1) : _mm512_unpacklo_epi8(c0, c1);
  const VI high = kUpper ? _mm512_unpackhi_epi8(c2, c3) : _mm512_unpacklo_epi8(c2, c3);
  quarters[0] = _mm512_unpacklo_epi16(low, high);
  quarters[1] = _mm512_unpackhi_epi16(low, high);
}

static TERN_ALWAYS_INLINE void add_to(int32_t* sums, VI sum) {
  _mm512_store_si512(sums, vi_add(_mm512_load_si512(sums), sum));
}

// sums += the group's block at byte `at` of each line times plane `plane`: two quarters of all
// columns in registers at a time.
template <typename Trits, bool kUpper>
static TERN_ALWAYS_INLINE void add_half(const Trits& trits, const ColumnGroup& group, size_t at,
                                        size_t plane, int32_t* sums) {
  VI acc[2][Trits::kTerms];
#pragma GCC unroll 2
  for (size_t h = 0; h < 2; ++h) {
#pragma GCC unroll 10
    for (size_t i = 0; i < Trits::kTerms; ++i) acc[h][i] = vi_zero();
  }
  for (size_t quad = 0; quad < group.n_quads; ++quad) {
    VI quarters[2];
    interleave<kUpper>(group.lines + 4 * quad, at, quarters);
    const VI q = broadcast_four(group.values[plane] + 4 * quad);
#pragma GCC unroll 2
    for (size_t h = 0; h < 2; ++h) {
      VI u[Trits::kTerms];
      trits.terms(quarters[h], u);
#pragma GCC unroll 10
      for (size_t i = 0; i < Trits::kTerms; ++i) dot(acc[h][i], u[i], q);
    }
  }
#pragma GCC unroll 2
  for (size_t h = 0; h < 2; ++h) {
    VI digits[Trits::kDigits];
    Trits::digit_sums(acc[h], digits);
#pragma GCC unroll 5
    for (size_t d = 0; d < Trits::kDigits; ++d) {
      add_to(sums + (4 * d + 2 * kUpper + h) * 16, digits[d]);
    }
  }
}

// The same for kPlanes planes: a digit of a quarter of all columns meets every plane before the
// next one. Half of the values stay in registers; the others come with their products.
template <typename Trits, size_t kPlanes, bool kUpper>
static TERN_ALWAYS_INLINE void add_half_planes(const Trits& trits, const ColumnGroup& group,
                                               size_t at, size_t plane, size_t plane_size,
                                               int32_t* sums) {
  constexpr size_t kHeld = kPlanes / 2;
  VI held[kHeld][kGroupQuads];
  VI quarters[kGroupQuads][2];
#pragma GCC unroll 4
  for (size_t quad = 0; quad < kGroupQuads; ++quad) {
    interleave<kUpper>(group.lines + 4 * quad, at, quarters[quad]);
#pragma GCC unroll 2
    for (size_t p = 0; p < kHeld; ++p) {
      held[p][quad] = broadcast_four(group.values[plane + p] + 4 * quad);
    }
  }
#pragma GCC unroll 5
  for (size_t d = 0; d < Trits::kDigits; ++d) {
#pragma GCC unroll 2
    for (size_t h = 0; h < 2; ++h) {
      VI acc[kPlanes];
#pragma GCC unroll 4
      for (size_t p = 0; p < kPlanes; ++p) acc[p] = vi_zero();
#pragma GCC unroll 4
      for (size_t quad = 0; quad < kGroupQuads; ++quad) {
        const VI u = trits.digit(quarters[quad][h], d);
#pragma GCC unroll 4
        for (size_t p = 0; p < kPlanes; ++p) {
          if (p < kHeld) {
            dot(acc[p], u, held[p][quad]);
          } else {
            dot_four(acc[p], u, group.values[plane + p] + 4 * quad);
          }
        }
      }
#pragma GCC unroll 4
      for (size_t p = 0; p < kPlanes; ++p) {
        add_to(sums + p * plane_size + (4 * d + 2 * kUpper + h) * 16, acc[p]);
      }
    }
  }
}
template <typename Trits, size_t kPlanes>
static void add_planes(const Trits& trits, const ColumnGroup& group, size_t at, size_t plane,
                       size_t plane_size, int32_t* sums) {
  add_half_planes<Trits, kPlanes, false>(trits, group, at, plane, plane_size, sums);
  add_half_planes<Trits, kPlanes, true>(trits, group, at, plane, plane_size, sums);
}

// Columns [begin, end) of units [unit_begin, unit_end).
template <typename Trits>
static void add_units(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                      size_t unit_begin, size_t unit_end, int32_t* sums) {
  constexpr size_t kUnit = TritLines<typename Trits::Code>::kBlockElems;
  const Trits trits = Trits::load();
  const size_t plane_size = w.n_units() * kUnit;
  ColumnGroup group;
  for (size_t i = begin; i < end; i += kGroupColumns) {
    load_group(w, in, i, end, w.n_units() * kTritBlockBytes, group);
    for (size_t unit = unit_begin; unit < unit_end; ++unit) {
      const size_t at = unit * kTritBlockBytes;
#pragma GCC unroll 16
      for (size_t c = 0; c < kGroupColumns; ++c) {
        prefetch(group.next[0][c] + at);
        prefetch(group.next[1][c] + at);
      }
      for (size_t p = 0; p < in.n_planes;) {
        int32_t* const out = sums + p * plane_size + unit * kUnit;
        if (in.n_planes - p >= 4) {
          add_planes<Trits, 4>(trits, group, at, p, plane_size, out);
          p += 4;
        } else if (in.n_planes - p >= 2) {
          add_planes<Trits, 2>(trits, group, at, p, plane_size, out);
          p += 2;
        } else {
          add_half<Trits, false>(trits, group, at, p, out);
          add_half<Trits, true>(trits, group, at, p, out);
          p += 1;
        }
      }
    }
  }
}

// All units of one plane; of several, so many at a time that their sums stay in the nearest cache.
template <typename Trits>
static void add_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                        int32_t* sums) {
  const size_t n_units = w.n_units();
  const size_t run = in.n_planes == 1 ? n_units : kCachedUnits / in.n_planes;
  for (size_t unit = 0; unit < n_units; unit += run) {
    const size_t unit_end = n_units - unit < run ? n_units : unit + run;
    add_units<Trits>(w, in, begin, end, unit, unit_end, sums);
  }
}
static void multiply_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                             int32_t* sums) {
  TERN_ASSERT(is_columns(w.packing) && in.n_planes > 0 && in.n_planes <= 2 * kVectorTokens);
  if constexpr (kFivesAlone) {
    if (!is_five(w.packing)) return kAvx512VnniKernels.multiply_columns(w, in, begin, end, sums);
  }
  __builtin_memset(sums, 0, in.n_planes * column_sums_size(w) * sizeof(int32_t));
  if (is_five(w.packing)) {
    add_columns<FiveTrits>(w, in, begin, end, sums);
  } else if constexpr (!kFivesAlone) {
    add_columns<FourTrits>(w, in, begin, end, sums);
  }
}
