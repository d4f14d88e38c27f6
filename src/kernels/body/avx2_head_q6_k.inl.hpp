// Q6_K in the output head for one token, as bytes: u = code + 32 in [0, 63] times each plane, with
// vpmaddubsw. Unpacking costs less than for words, products more: several tokens take words.
// Included inside an AVX2 region, after head_q6_k_words.inl.hpp and before head_rows.inl.hpp.
//
// A quarter of half a block is 32 elements, 16 of one sub-scale in each 128 bits. Pairs of products
// are words, vpmaddwd multiplies them by the sub-scale and adds two; what 32 is too much is taken
// off with the sums of the activations of 16 elements. A total is {high plane, low plane}.
//
// Bounds: a pair is at most 2 * 63 * 127 = 16002, a word; a lane of a plane adds up 16 of them
// times 128, and 32 * 2 * 128 * 16 * 127 of the correction: 5e7. Its eight lanes are below 2^31,
// and 128 * high + low is exact as a double.

struct Q6KBytes : HeadBlockDefaults {
  static constexpr size_t kValues = 9;  // {high, low} of eight quarters, sums of 16 elements

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
  static inline void add_stored(const uint8_t* block, const SubsQ6K& subs, const VI* values,
                                VI* total) {
    add_quarter(quarter_q6_k<i / 4, i % 4>(block), quarter_subs_q6_k<i / 4, i % 4>(subs), values[i],
                total);
  }
  static inline VI dot_stored(const uint8_t* block, const VI* values) {
    const SubsQ6K subs = load_subs_q6_k(block);
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
  static inline __m256 rounded_eight(const VI* totals) {
    __m256i high[8];
    __m256i low[8];
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; ++i) {
      high[i] = totals[i].lo;
      low[i] = totals[i].hi;
    }
    return round_eight(reduce_eight(high), reduce_eight(low), 128.0);
  }
  static inline V sums(VI* totals) { return {rounded_eight(totals), rounded_eight(totals + 8)}; }
};

template <>
struct OneTokenBlock<TensorType::q6_k> {
  using Form = Q6KBytes;
};
