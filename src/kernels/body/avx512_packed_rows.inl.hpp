// Rows of 128 dims in 4 and in 3 bits, read in registers (unpack_codes.inl.hpp says how they lie).
// Included inside an AVX-512 region, after avx512_lanes.inl.hpp and unpack_codes.inl.hpp;
// attention_row_loops.inl.hpp says what the names mean.

// As vi_load_pairs, of bytes below 128.
static inline void pair_codes(VI even, VI odd, VI* pairs) {
  const VI both[2] = {_mm512_unpacklo_epi16(even, odd), _mm512_unpackhi_epi16(even, odd)};
#pragma GCC unroll 2
  for (size_t h = 0; h < 2; ++h) {
    pairs[2 * h] = _mm512_and_si512(both[h], _mm512_set1_epi16(255));
    pairs[2 * h + 1] = _mm512_srli_epi16(both[h], 8);
  }
}

// 64 bytes: the low four bits are the first piece, the high ones the second.
struct NibbleRows {
  static constexpr int32_t kKeyMore = 8;
  static constexpr int32_t kValueMore = 8;
  VI shift;

  explicit NibbleRows(size_t piece) : shift(_mm512_set1_epi32(4 * static_cast<int32_t>(piece))) {}
  static const int8_t* key(const int8_t* row) { return row; }
  static const int8_t* value(const int8_t* row) { return row; }
  VI keys(const int8_t* row) const {
    return _mm512_and_si512(_mm512_srlv_epi32(vi_load(row), shift), _mm512_set1_epi8(15));
  }
  void pairs(const int8_t* even, const int8_t* odd, VI* pairs) const {
    pair_codes(keys(even), keys(odd), pairs);
  }
};

// 32 bytes whose pairs of bits are 32 dims each, then 16 whose bits are 16 dims each: of a piece,
// two pairs and four bits, a bit a quarter of the register.
struct ThreeBitRows {
  static constexpr int32_t kKeyMore = 4;
  static constexpr int32_t kValueMore = 4;
  VI low_shift, high_shift;

  explicit ThreeBitRows(size_t piece) {
    const VI begin = _mm512_set1_epi32(4 * static_cast<int32_t>(piece));
    low_shift = vi_add(begin, _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2));
    high_shift = vi_add(begin, _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3));
  }
  static const int8_t* key(const int8_t* row) { return row; }
  static const int8_t* value(const int8_t* row) { return row; }
  VI keys(const int8_t* row) const {
    const VI low =
        _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(row)));
    const VI high =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 32)));
    const VI bits = _mm512_slli_epi32(_mm512_srlv_epi32(high, high_shift), 2);
    // (low where the mask has ones, else bits), less what is above three bits.
    const VI both = _mm512_ternarylogic_epi32(_mm512_set1_epi8(3),
                                              _mm512_srlv_epi32(low, low_shift), bits, 0xCA);
    return _mm512_and_si512(both, _mm512_set1_epi8(7));
  }
  void pairs(const int8_t* even, const int8_t* odd, VI* pairs) const {
    pair_codes(keys(even), keys(odd), pairs);
  }
};

template <typename Rows>
static void unpack_whole_row(const uint8_t* row, int8_t* codes) {
  for (size_t piece = 0; piece < 2; ++piece) {
    const VI more = _mm512_set1_epi8(static_cast<int8_t>(Rows::kKeyMore));
    const VI u = Rows(piece).keys(reinterpret_cast<const int8_t*>(row));
    vi_store(codes + 64 * piece, _mm512_sub_epi8(u, more));
  }
}
