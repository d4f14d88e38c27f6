// The product over lines by column (T2C, T5C), listed or all: what is not listed is not read
// (docs/numerics.md 4). Included inside an AVX-512 region, after avx512_rows.inl.hpp.
//
// Interleaving the bytes of four columns within 128-bit lanes puts what one output sums into one
// lane, for a quarter of a block's 64 bytes at a time:
//
//     lane 4L + i of quarter q:  byte 16L + 4q + i of columns c0, c1, c2, c3
//
// so that one vpdpbusd a digit meets four broadcast activations. A group of columns is taken block
// by block; within a block its sums are registers, and only the group's are added to memory, in the
// order [unit][digit][quarter][lane].
//
// Lines without a list lie one behind the other, and the next group is fetched as it lies. Lines of
// a list lie apart, so the hardware does not foresee them, and the CPU drops a prefetch when all
// its buffers wait: a block is asked for twice, and the nearer ones first. Of more columns than
// these, of 2560 outputs, a group's lines and the next ones do not fit the nearest cache, and of
// fewer the sums are added more often. Bound: a group adds at most 48 * 255 * 127 to a lane of 32
// bits, three times as much in digit_sums; sums are those of docs/numerics.md 4.4.

constexpr size_t kListedColumns = 24;
constexpr size_t kGroupColumns = 48;
constexpr size_t kBlocksAhead[2] = {3, 6};

// T5 where all digits of a byte meet one activation: six fractions, each three times the last (mod
// 256), give five digits.
struct FiveFractions {
  using Code = T5Code;
  static constexpr size_t kDigits = 5;
  static constexpr size_t kTerms = 6;

  static TERN_ALWAYS_INLINE FiveFractions load() { return {}; }
  static TERN_ALWAYS_INLINE VI term(VI bytes, VI last, size_t i) {
    return i == 0 ? bytes : next_fraction(last);
  }
  static TERN_ALWAYS_INLINE void digit_sums(const VI* terms, VI* sums) {
#pragma GCC unroll 5
    for (size_t d = 0; d < kDigits; ++d) sums[d] = digit_sum(terms[d], terms[d + 1]);
  }
};

// Lines and values of a group, and of a list the lines of the next one; lines that do not exist
// repeat the last one, with values of zero.
struct ColumnGroup {
  size_t n_quads;
  const uint8_t* lines[kGroupColumns];
  const uint8_t* next[kGroupColumns];
  int8_t values[2 * kVectorTokens][(kGroupColumns + 15) / 16 * 16];
};

static inline void list_lines(const TernaryView& w, const ColumnInputs& in, size_t first,
                              size_t end, size_t n_lines, const uint8_t** lines) {
  const size_t line_bytes = w.n_units() * kTritBlockBytes;
  for (size_t i = 0; i < n_lines; ++i) {
    const size_t at = first + i < end ? first + i : end - 1;
    lines[i] = w.data + listed(in.columns, at) * line_bytes;
  }
}

static inline void load_group(const TernaryView& w, const ColumnInputs& in, size_t first,
                              size_t end, size_t n_group, ColumnGroup& group) {
  const size_t count = end - first < n_group ? end - first : n_group;
  group.n_quads = (count + 3) / 4;
  list_lines(w, in, first, end, n_group, group.lines);
  if (in.columns != nullptr) list_lines(w, in, first + n_group, end, n_group, group.next);
  for (size_t p = 0; p < in.n_planes; ++p) {
    const int8_t* values = in.values + p * in.stride + first;
    for (size_t i = 0; i < count; i += 16) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(group.values[p] + i),
                       _mm_maskz_loadu_epi8(first_n(count - i), values + i));
    }
  }
}

// Block `block` of every listed line, and behind the last one those of the next group. Always
// inlined, as is what calls it: a call of what changes nothing g++ leaves out.
static TERN_ALWAYS_INLINE void prefetch_blocks(const ColumnGroup& group, size_t block,
                                               size_t n_blocks) {
  const uint8_t* const* lines = group.lines;
  if (block >= n_blocks) {
    lines = group.next;
    block -= n_blocks;
  }
  if (block >= n_blocks) return;
#pragma GCC unroll 8
  for (size_t i = 0; i < kListedColumns; ++i) prefetch(lines[i] + block * kTritBlockBytes);
}

// What is wanted soon after block `block` of a group.
static TERN_ALWAYS_INLINE void prefetch_next(const ColumnInputs& in, const ColumnGroup& group,
                                             size_t block, size_t n_blocks) {
  if (in.columns != nullptr) {
    for (const size_t ahead : kBlocksAhead) prefetch_blocks(group, block + ahead, n_blocks);
    return;
  }
  const size_t n = kGroupColumns * kTritBlockBytes;
  const uint8_t* run = group.lines[0] + n * (n_blocks + block);
  for (size_t at = 0; at < n; at += kTritBlockBytes) prefetch(run + at);
}

// kCount quarters of a block of four columns, interleaved, from kFirst on.
template <size_t kFirst, size_t kCount>
static TERN_ALWAYS_INLINE void interleave(const uint8_t* const* lines, size_t at, VI* quarters) {
  const VI c0 = load_bytes(lines[0] + at);
  const VI c1 = load_bytes(lines[1] + at);
  const VI c2 = load_bytes(lines[2] + at);
  const VI c3 = load_bytes(lines[3] + at);
#pragma GCC unroll 2
  for (size_t half = kFirst / 2; half <= (kFirst + kCount - 1) / 2; ++half) {
    const VI low = half == 0 ? _mm512_unpacklo_epi8(c0, c1) : _mm512_unpackhi_epi8(c0, c1);
    const VI high = half == 0 ? _mm512_unpacklo_epi8(c2, c3) : _mm512_unpackhi_epi8(c2, c3);
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; ++i) {
      const size_t quarter = 2 * half + i;
      if (quarter < kFirst || quarter >= kFirst + kCount) continue;
      quarters[quarter - kFirst] =
          i == 0 ? _mm512_unpacklo_epi16(low, high) : _mm512_unpackhi_epi16(low, high);
    }
  }
}

static TERN_ALWAYS_INLINE void add_to(int32_t* sums, VI sum) {
  _mm512_store_si512(sums, vi_add(_mm512_load_si512(sums), sum));
}

// sums += kCount quarters of the group's blocks, from kFirst on, times kPlanes planes, from `plane`
// on.
template <typename Terms, size_t kPlanes, size_t kFirst, size_t kCount>
static TERN_ALWAYS_INLINE void add_quarters(const Terms& terms, const ColumnGroup& group, size_t at,
                                            size_t plane, size_t plane_size, int32_t* sums) {
  VI acc[kCount][kPlanes][Terms::kTerms];
#pragma GCC unroll 4
  for (size_t h = 0; h < kCount; ++h) {
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) {
#pragma GCC unroll 6
      for (size_t i = 0; i < Terms::kTerms; ++i) acc[h][p][i] = vi_zero();
    }
  }
  for (size_t quad = 0; quad < group.n_quads; ++quad) {
    VI quarters[kCount];
    interleave<kFirst, kCount>(group.lines + 4 * quad, at, quarters);
    VI q[kPlanes];
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) q[p] = broadcast_four(group.values[plane + p] + 4 * quad);
#pragma GCC unroll 4
    for (size_t h = 0; h < kCount; ++h) {
      VI u = quarters[h];
#pragma GCC unroll 6
      for (size_t i = 0; i < Terms::kTerms; ++i) {
        u = terms.term(quarters[h], u, i);
#pragma GCC unroll 4
        for (size_t p = 0; p < kPlanes; ++p) dot(acc[h][p][i], u, q[p]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t h = 0; h < kCount; ++h) {
#pragma GCC unroll 4
    for (size_t p = 0; p < kPlanes; ++p) {
      VI digits[Terms::kDigits];
      Terms::digit_sums(acc[h][p], digits);
#pragma GCC unroll 5
      for (size_t d = 0; d < Terms::kDigits; ++d) {
        add_to(sums + p * plane_size + (4 * d + kFirst + h) * 16, digits[d]);
      }
    }
  }
}
// As many quarters at a time as leave registers for them.
template <typename Terms, size_t kPlanes, size_t kFirst = 0>
static void add_planes(const Terms& terms, const ColumnGroup& group, size_t at, size_t plane,
                       size_t plane_size, int32_t* sums) {
  constexpr size_t kCount = 4 / kPlanes;
  add_quarters<Terms, kPlanes, kFirst, kCount>(terms, group, at, plane, plane_size, sums);
  if constexpr (kFirst + kCount < 4) {
    add_planes<Terms, kPlanes, kFirst + kCount>(terms, group, at, plane, plane_size, sums);
  }
}

// A block of a group for all planes.
template <typename Terms>
static inline void add_block(const Terms& terms, const ColumnGroup& group, size_t at,
                             size_t n_planes, size_t plane_size, int32_t* sums) {
  size_t p = 0;
  for (; p + 4 <= n_planes; p += 4) {
    add_planes<Terms, 4>(terms, group, at, p, plane_size, sums + p * plane_size);
  }
  for (; p + 2 <= n_planes; p += 2) {
    add_planes<Terms, 2>(terms, group, at, p, plane_size, sums + p * plane_size);
  }
  if (p < n_planes) add_planes<Terms, 1>(terms, group, at, p, plane_size, sums + p * plane_size);
}

template <typename Terms>
static void add_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                        int32_t* sums) {
  constexpr size_t kUnit = TritLines<typename Terms::Code>::kBlockElems;
  const Terms terms = Terms::load();
  const size_t n_units = w.n_units();
  ColumnGroup group;
  const size_t n_group = in.columns != nullptr ? kListedColumns : kGroupColumns;
  for (size_t first = begin; first < end; first += n_group) {
    load_group(w, in, first, end, n_group, group);
    for (size_t unit = 0; unit < n_units; ++unit) {
      prefetch_next(in, group, unit, n_units);
      add_block(terms, group, unit * kTritBlockBytes, in.n_planes, n_units * kUnit,
                sums + unit * kUnit);
    }
  }
}

static void multiply_columns(const TernaryView& w, const ColumnInputs& in, size_t begin, size_t end,
                             int32_t* sums) {
  TERN_ASSERT(is_columns(w.packing) && in.n_planes > 0 && in.n_planes <= 2 * kVectorTokens);
  __builtin_memset(sums, 0, in.n_planes * column_sums_size(w) * sizeof(int32_t));
  if (is_five(w.packing)) {
    add_columns<FiveFractions>(w, in, begin, end, sums);
  } else {
    add_columns<FourTrits>(w, in, begin, end, sums);
  }
}
