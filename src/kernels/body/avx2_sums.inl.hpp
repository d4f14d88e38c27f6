// Sums over the lanes of many vectors with AVX2. Included inside an AVX2 region after
// vector_float.inl.hpp, before avx2_attention_loops.inl.hpp and vector_head.inl.hpp.

// Lane i of each 128 bits: the sum of those 128 bits of v[i]. vphaddd would take twice the time.
static inline __m256i reduce_four(const __m256i* v) {
  const __m256i first =
      _mm256_add_epi32(_mm256_unpacklo_epi32(v[0], v[1]), _mm256_unpackhi_epi32(v[0], v[1]));
  const __m256i second =
      _mm256_add_epi32(_mm256_unpacklo_epi32(v[2], v[3]), _mm256_unpackhi_epi32(v[2], v[3]));
  return _mm256_add_epi32(_mm256_unpacklo_epi64(first, second),
                          _mm256_unpackhi_epi64(first, second));
}
// The sums of the lanes of eight registers.
static inline __m256i reduce_eight(const __m256i* v) {
  const __m256i a = reduce_four(v);
  const __m256i b = reduce_four(v + 4);
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x21), _mm256_blend_epi32(a, b, 0xF0));
}
// The sum over the lanes of each of sixteen vectors: lane i of v[i].
static inline VI vi_reduce16(const VI* v) {
  __m256i eight[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) eight[i] = _mm256_add_epi32(v[i].lo, v[i].hi);
  return {reduce_eight(eight), reduce_eight(eight + 8)};
}
// high * factor + low, rounded; exact as a double before.
static inline __m128 round_four(__m128i high, __m128i low, double factor) {
  const __m256d upper = _mm256_mul_pd(_mm256_cvtepi32_pd(high), _mm256_set1_pd(factor));
  return _mm256_cvtpd_ps(_mm256_add_pd(upper, _mm256_cvtepi32_pd(low)));
}
static inline __m256 round_eight(__m256i high, __m256i low, double factor) {
  const __m128 first =
      round_four(_mm256_castsi256_si128(high), _mm256_castsi256_si128(low), factor);
  const __m128 second =
      round_four(_mm256_extracti128_si256(high, 1), _mm256_extracti128_si256(low, 1), factor);
  return _mm256_set_m128(second, first);
}
// The exact sum of the lanes of each of sixteen vectors, rounded. Requires: two lanes together are
// below 2^31.
static inline V rounded_wide(const VI* totals) {
  const __m256i mask = _mm256_set1_epi32(0xFFFF);
  __m256i high[16];
  __m256i low[16];
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) {
    const __m256i eight = _mm256_add_epi32(totals[i].lo, totals[i].hi);
    high[i] = _mm256_srai_epi32(eight, 16);
    low[i] = _mm256_and_si256(eight, mask);
  }
  return {round_eight(reduce_eight(high), reduce_eight(low), 65536.0),
          round_eight(reduce_eight(high + 8), reduce_eight(low + 8), 65536.0)};
}
