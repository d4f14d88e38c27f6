// Rows of 128 dims in 4 and in 3 bits, read in registers of 32 dims (unpack_codes.inl.hpp says how
// they lie). Included inside an AVX2 region, after avx2_lanes.inl.hpp and unpack_codes.inl.hpp;
// avx2_attention_loops.inl.hpp says what the names mean.

constexpr size_t kPieceDims = 32;

static inline __m256i load_piece(const int8_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}
// Sixteen bytes, twice.
static inline __m256i load_twice(const int8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}

// Words of two rows' bytes in turn: the lower or the upper half of each 16 bytes.
template <bool kUpper>
static inline __m256i mix_rows(__m256i even, __m256i odd) {
  return kUpper ? _mm256_unpackhi_epi16(even, odd) : _mm256_unpacklo_epi16(even, odd);
}
// As vi_load_pairs, of mixed bytes below 128.
static inline void split_codes(__m256i mixed, __m256i* pairs) {
  pairs[0] = _mm256_and_si256(mixed, _mm256_set1_epi16(255));
  pairs[1] = _mm256_srli_epi16(mixed, 8);
}

// 64 bytes: the low four bits are the first two pieces, the high ones the others.
struct NibbleRows {
  static constexpr int32_t kKeyMore = 8;
  static constexpr int32_t kValueMore = 8;
  size_t at;
  __m128i shift;

  explicit NibbleRows(size_t piece)
      : at(piece % 2 * kPieceDims), shift(_mm_cvtsi32_si128(static_cast<int>(piece / 2 * 4))) {}
  static void keys(const int8_t* row, __m256i* pieces) {
    const __m256i low = _mm256_set1_epi8(15);
#pragma GCC unroll 2
    for (size_t i = 0; i < 2; ++i) {
      const __m256i bytes = load_piece(row + kPieceDims * i);
      pieces[i] = _mm256_and_si256(bytes, low);
      pieces[i + 2] = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);
    }
  }
  const int8_t* value(const int8_t* row) const { return row + at; }
  template <bool kUpper>
  void pairs(const int8_t* even, const int8_t* odd, __m256i* pairs) const {
    const __m256i mixed = mix_rows<kUpper>(load_piece(value(even)), load_piece(value(odd)));
    split_codes(_mm256_and_si256(_mm256_srl_epi16(mixed, shift), _mm256_set1_epi8(15)), pairs);
  }
};

// 32 bytes whose pairs of bits are 32 dims each, then 16 whose bits are 16 dims each: of a piece a
// pair and two bits, one in each 16 bytes.
struct ThreeBitRows {
  static constexpr int32_t kKeyMore = 4;
  static constexpr int32_t kValueMore = 4;
  __m128i low_shift;
  __m256i high_shift;

  explicit ThreeBitRows(size_t piece) {
    const int begin = static_cast<int>(2 * piece);
    low_shift = _mm_cvtsi32_si128(begin);
    high_shift = _mm256_add_epi32(_mm256_set1_epi32(begin), second_bit());
  }
  static __m256i second_bit() { return _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1); }
  // Bit 2 of each byte of `high` above two bits of `low`.
  static __m256i joined(__m256i low, __m256i high) {
    return _mm256_or_si256(_mm256_and_si256(low, _mm256_set1_epi8(3)),
                           _mm256_and_si256(high, _mm256_set1_epi8(4)));
  }
  static void keys(const int8_t* row, __m256i* pieces) {
    const __m256i low = load_piece(row);
    const __m256i high = _mm256_srlv_epi32(load_twice(row + 32), second_bit());
    pieces[0] = joined(low, _mm256_slli_epi16(high, 2));
    pieces[1] = joined(_mm256_srli_epi16(low, 2), high);
    pieces[2] = joined(_mm256_srli_epi16(low, 4), _mm256_srli_epi16(high, 2));
    pieces[3] = joined(_mm256_srli_epi16(low, 6), _mm256_srli_epi16(high, 4));
  }
  static const int8_t* value(const int8_t* row) { return row; }
  template <bool kUpper>
  void pairs(const int8_t* even, const int8_t* odd, __m256i* pairs) const {
    const __m256i low = mix_rows<kUpper>(load_piece(even), load_piece(odd));
    const __m256i high = mix_rows<kUpper>(load_twice(even + 32), load_twice(odd + 32));
    const __m256i bit = _mm256_and_si256(_mm256_srlv_epi32(high, high_shift), _mm256_set1_epi8(1));
    split_codes(joined(_mm256_srl_epi16(low, low_shift), _mm256_slli_epi16(bit, 2)), pairs);
  }
};

template <typename Rows>
static void unpack_whole_row(const uint8_t* row, int8_t* codes) {
  __m256i pieces[4];
  Rows::keys(reinterpret_cast<const int8_t*>(row), pieces);
  const __m256i more = _mm256_set1_epi8(static_cast<int8_t>(Rows::kKeyMore));
  auto* to = reinterpret_cast<__m256i*>(codes);
  for (size_t i = 0; i < 4; ++i) _mm256_storeu_si256(to + i, _mm256_sub_epi8(pieces[i], more));
}
