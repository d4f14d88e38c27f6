// Q6_K in the output head with the int8 dot unit: u = code + 32 in [0, 63] times each plane of the
// activations. Included inside an AVX-512 region, after vector_head.inl.hpp and before
// head_rows.inl.hpp.
//
// The 16 elements of a sub-scale are brought into one lane, four bytes in each of four vectors, so
// that a lane of a block is the sum A of code * v of one sub-scale, which multiplies it once:
//
//     lane 4q + i:  sub-scale 4i + q,  A = 128 * (u . high) + (u . low) - 32 * sum(v)
//
// For that A is cut into two words, A = 256 * upper + lower with 0 <= lower < 256: its bytes in
// another order. vpmaddwd multiplies both by the sub-scales and adds those of two lanes. Two rows
// go together, because vectors of values loaded once and totals stored once serve both:
//
//     lanes 4q .. 4q + 3 of a total:  lower, upper of the first row, lower, upper of the second
//
// Bounds, values in [-16256, 16256]: A is at most 16 * 32 * 16256 = 8323072, below 2^23, so upper
// is a word. Over 16 sub-scales in [-128, 127] upper adds up to 16 * 128 * 32512 = 66584576 and
// lower to 16 * 128 * 255 = 522240; 256 * upper + lower is exact as a double.

template <>
struct HeadBlock<TensorType::q6_k> {
  static constexpr size_t kWords = 5;   // u, sub-scales as words
  static constexpr size_t kValues = 9;  // the high plane, the low one, -32 * sum(v)
  static constexpr size_t kBatches = 8;
  static constexpr size_t kRows = 2;
  static constexpr size_t kPlaces = 40;  // 4 tokens of 2560 columns: 20 KiB, values 23 KiB

  static inline void join(const int8_t* high, const int8_t* low, VI* values) {
    VI sums[2] = {vi_zero(), vi_zero()};
    for (size_t plane = 0; plane < 2; ++plane) {
      VI* bytes = values + 4 * plane;
      for (size_t i = 0; i < 4; ++i) bytes[i] = vi_load((plane == 0 ? high : low) + 64 * i);
      vi_transpose_lanes(bytes);
      for (size_t i = 0; i < 4; ++i) {
        sums[plane] = vi_dot_bytes(sums[plane], _mm512_set1_epi8(32), bytes[i]);
      }
    }
    values[8] = vi_sub(vi_zero(), vi_add(vi_times_128(sums[0]), sums[1]));
  }
  // A half is 64 bytes of nibbles and 32 of pairs: its first 64 elements have the low nibbles and
  // the pairs 0 and 1, the others the high ones and 2 and 3.
  static inline void unpack(const uint8_t* block, VI* words) {
    const VI nibble = _mm512_set1_epi8(15);
    const VI six = _mm512_set1_epi8(63);
    const VI left = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
    const VI right = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
#pragma GCC unroll 2
    for (size_t half = 0; half < 2; ++half) {
      const VI low = load_once(block + 64 * half);
      const VI pairs = _mm512_broadcast_i64x4(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 128 + 32 * half)));
      // (nibbles where the mask has ones, else pairs), less what is above six bits.
      words[2 * half] = _mm512_and_si512(
          _mm512_ternarylogic_epi32(_mm512_sllv_epi16(pairs, left), low, nibble, 0xD8), six);
      words[2 * half + 1] =
          _mm512_and_si512(_mm512_ternarylogic_epi32(_mm512_srlv_epi16(pairs, right),
                                                     _mm512_srli_epi16(low, 4), nibble, 0xD8),
                           six);
    }
    vi_transpose_lanes(words);
    const VI order = _mm512_set_epi64(0x000F000B000F000B, 0x0007000300070003, 0x000E000A000E000A,
                                      0x0006000200060002, 0x000D0009000D0009, 0x0005000100050001,
                                      0x000C0008000C0008, 0x0004000000040000);
    words[4] = _mm512_permutexvar_epi16(
        order, _mm512_castsi256_si512(_mm256_cvtepi8_epi16(
                   _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192)))));
  }
  // {lower, upper} of two sub-scales, of the other two.
  static inline VI scaled(VI sum, VI subs) {
    // Bytes 0 of two lanes as words, then bytes 1 and 2 of both: -1 is a zero.
    const VI order = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, -1, 4, -1, 1, 2, 5, 6, 8, -1, 12, -1, 9, 10, 13, 14));
    return _mm512_madd_epi16(_mm512_shuffle_epi8(sum, order), subs);
  }
  static inline VI dot(const VI* words, const VI* values) {
    VI high[2] = {vi_zero(), vi_zero()};
    const VI offset = load_once(values + 8);
    VI low[2] = {offset, offset};
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; ++i) {
      const VI h = load_once(values + i);
      const VI l = load_once(values + 4 + i);
#pragma GCC unroll 2
      for (size_t r = 0; r < 2; ++r) {
        high[r] = vi_dot_bytes(high[r], words[kWords * r + i], h);
        low[r] = vi_dot_bytes(low[r], words[kWords * r + i], l);
      }
    }
    const VI a = scaled(vi_add(vi_times_128(high[0]), low[0]), words[4]);
    const VI b = scaled(vi_add(vi_times_128(high[1]), low[1]), words[kWords + 4]);
    return vi_add(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
  }
  // Each quarter is the sum of the quarters of one vector.
  static inline VI sum_quarters(VI a, VI b, VI c, VI d) {
    const VI ab = vi_add(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xEE));
    const VI cd = vi_add(_mm512_shuffle_i32x4(c, d, 0x44), _mm512_shuffle_i32x4(c, d, 0xEE));
    return vi_add(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xDD));
  }
  static inline __m256 round_eight(__m256i upper, __m256i lower) {
    const __m512d product = _mm512_mul_pd(_mm512_cvtepi32_pd(upper), _mm512_set1_pd(256.0));
    return _mm512_cvtpd_ps(_mm512_add_pd(product, _mm512_cvtepi32_pd(lower)));
  }
  static inline V sums(VI* totals) {
    const V even = v_of_bits(sum_quarters(totals[0], totals[2], totals[4], totals[6]));
    const V odd = v_of_bits(sum_quarters(totals[1], totals[3], totals[5], totals[7]));
    const VI lower = v_bits(_mm512_shuffle_ps(even, odd, 0x88));
    const VI upper = v_bits(_mm512_shuffle_ps(even, odd, 0xDD));
    const __m256 first = round_eight(_mm512_castsi512_si256(upper), _mm512_castsi512_si256(lower));
    const __m256 second =
        round_eight(_mm512_extracti64x4_epi64(upper, 1), _mm512_extracti64x4_epi64(lower, 1));
    return _mm512_insertf32x8(_mm512_castps256_ps512(first), second, 1);
  }
};
