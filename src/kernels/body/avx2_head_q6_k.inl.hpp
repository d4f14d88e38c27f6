// Q6_K in the output head as bytes: u = code + 32 in [0, 63] times each plane, with vpmaddubsw.
// Included inside an AVX2 region, after vector_head.inl.hpp and before head_rows.inl.hpp.
//
// A quarter of half a block is 32 elements, 16 of one sub-scale in each 128 bits. Pairs of products
// are words, vpmaddwd multiplies them by the sub-scale and adds two; what 32 is too much is taken
// off with the sums of the activations of 16 elements. A total is {high plane, low plane}.
//
// Bounds: a pair is at most 2 * 63 * 127 = 16002, a word; a lane of a plane adds up 16 of them
// times 128, and 32 * 2 * 128 * 16 * 127 of the correction: 5e7. Its eight lanes are below 2^31,
// and 128 * high + low is exact as a double.

template <>
struct HeadBlock<TensorType::q6_k> {
  static constexpr size_t kWords = 9;  // {u, sub-scales as words} of eight quarters, all sub-scales
  static constexpr size_t kValues = 9;  // {high, low} of eight quarters, sums of 16 elements
  static constexpr size_t kBatches = 1;

  // Word i of the result is the sum of bytes 16i to 16i + 15.
  static inline __m256i sums_of_sixteen(const int8_t* plane) {
    __m256i fours[8];  // sums of four bytes
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) {
      const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(plane + 32 * i));
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
      fours[i] = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    }
    const __m256i first = _mm256_hadd_epi32(_mm256_hadd_epi32(fours[0], fours[1]),
                                            _mm256_hadd_epi32(fours[2], fours[3]));
    const __m256i second = _mm256_hadd_epi32(_mm256_hadd_epi32(fours[4], fours[5]),
                                             _mm256_hadd_epi32(fours[6], fours[7]));
    const __m256i split = _mm256_packs_epi32(first, second);  // even sums, then odd ones
    const __m128i even = _mm256_castsi256_si128(split);
    const __m128i odd = _mm256_extracti128_si256(split, 1);
    return _mm256_set_m128i(_mm_unpackhi_epi16(even, odd), _mm_unpacklo_epi16(even, odd));
  }
  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    for (size_t i = 0; i < 8; ++i) {
      values[i] = {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + 32 * i)),
                   _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + 32 * i))};
    }
    values[8] = {sums_of_sixteen(high), sums_of_sixteen(low)};
  }
  // The sub-scales as words, and each half of them in both 128 bits.
  struct Subs {
    __m256i all;
    __m256i of_half[2];
  };
  static inline Subs load_subs(const uint8_t* block) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192));
    const __m256i all = _mm256_cvtepi8_epi16(bytes);
    return {all, {_mm256_permute4x64_epi64(all, 0x44), _mm256_permute4x64_epi64(all, 0xEE)}};
  }
  // Quarter k of a half has nibbles of its first 32 bytes (k even) or the others, the upper ones
  // from k = 2 on, and pair k of 32 bytes more. Its subs are words 2k and 2k + 1 of the half's
  // eight.
  template <size_t kHalf, size_t k>
  static inline void quarter(const uint8_t* block, const Subs& subs, __m256i* u, __m256i* sub) {
    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i pair = _mm256_set1_epi8(48);
    const auto* low = reinterpret_cast<const __m256i*>(block + 64 * kHalf);
    const __m256i bytes = _mm256_loadu_si256(low + k % 2);
    const __m256i pairs =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 128 + 32 * kHalf));
    const __m256i nibbles = _mm256_and_si256(k < 2 ? bytes : _mm256_srli_epi16(bytes, 4), nibble);
    const __m256i at_four =
        k < 2 ? _mm256_slli_epi16(pairs, k == 0 ? 4 : 2) : _mm256_srli_epi16(pairs, k == 2 ? 0 : 2);
    *u = _mm256_or_si256(nibbles, _mm256_and_si256(at_four, pair));
    const __m256i which =
        _mm256_set_m128i(_mm_set1_epi16(0x0302 + 0x0404 * k), _mm_set1_epi16(0x0100 + 0x0404 * k));
    *sub = _mm256_shuffle_epi8(subs.of_half[kHalf], which);
  }
  static inline void add_quarter(__m256i u, __m256i sub, VI planes, VI* total) {
    const __m256i high = _mm256_madd_epi16(_mm256_maddubs_epi16(u, planes.lo), sub);
    const __m256i low = _mm256_madd_epi16(_mm256_maddubs_epi16(u, planes.hi), sub);
    *total = vi_add(*total, VI{high, low});
  }
  static inline VI less_offset(VI total, __m256i subs, VI sums) {
    const __m256i high = _mm256_slli_epi32(_mm256_madd_epi16(subs, sums.lo), 5);
    const __m256i low = _mm256_slli_epi32(_mm256_madd_epi16(subs, sums.hi), 5);
    return vi_sub(total, VI{high, low});
  }
  template <size_t i>
  static inline void add_stored(const uint8_t* block, const Subs& subs, const VI* values,
                                VI* total) {
    __m256i u;
    __m256i sub;
    quarter<i / 4, i % 4>(block, subs, &u, &sub);
    add_quarter(u, sub, values[i], total);
  }
  static inline VI dot_stored(const uint8_t* block, const VI* values) {
    const Subs subs = load_subs(block);
    VI total = vi_zero();
    add_stored<0>(block, subs, values, &total);
    add_stored<1>(block, subs, values, &total);
    add_stored<2>(block, subs, values, &total);
    add_stored<3>(block, subs, values, &total);
    add_stored<4>(block, subs, values, &total);
    add_stored<5>(block, subs, values, &total);
    add_stored<6>(block, subs, values, &total);
    add_stored<7>(block, subs, values, &total);
    return less_offset(total, subs.all, values[8]);
  }
  static inline void unpack(const uint8_t* block, VI* words) {
    const Subs subs = load_subs(block);
    quarter<0, 0>(block, subs, &words[0].lo, &words[0].hi);
    quarter<0, 1>(block, subs, &words[1].lo, &words[1].hi);
    quarter<0, 2>(block, subs, &words[2].lo, &words[2].hi);
    quarter<0, 3>(block, subs, &words[3].lo, &words[3].hi);
    quarter<1, 0>(block, subs, &words[4].lo, &words[4].hi);
    quarter<1, 1>(block, subs, &words[5].lo, &words[5].hi);
    quarter<1, 2>(block, subs, &words[6].lo, &words[6].hi);
    quarter<1, 3>(block, subs, &words[7].lo, &words[7].hi);
    words[8] = {subs.all, subs.all};
  }
  static inline VI dot(const VI* words, const VI* values) {
    VI total = vi_zero();
    for (size_t i = 0; i < 8; ++i) add_quarter(words[i].lo, words[i].hi, values[i], &total);
    return less_offset(total, words[8].lo, values[8]);
  }
  // The sums of the lanes of eight registers.
  static inline __m256i reduce_eight(const __m256i* v) {
    const __m256i a =
        _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
    const __m256i b =
        _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
    return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                            _mm256_permute2x128_si256(a, b, 0x31));
  }
  static inline __m128 rounded(__m128i high, __m128i low) {
    const __m256d upper = _mm256_mul_pd(_mm256_cvtepi32_pd(high), _mm256_set1_pd(128.0));
    return _mm256_cvtpd_ps(_mm256_add_pd(upper, _mm256_cvtepi32_pd(low)));
  }
  static inline __m256 rounded_eight(const VI* totals) {
    __m256i high[8];
    __m256i low[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) {
      high[i] = totals[i].lo;
      low[i] = totals[i].hi;
    }
    const __m256i h = reduce_eight(high);
    const __m256i l = reduce_eight(low);
    const __m128 first = rounded(_mm256_castsi256_si128(h), _mm256_castsi256_si128(l));
    const __m128 second = rounded(_mm256_extracti128_si256(h, 1), _mm256_extracti128_si256(l, 1));
    return _mm256_set_m128(second, first);
  }
  static inline V sums(VI* totals) { return {rounded_eight(totals), rounded_eight(totals + 8)}; }
};
