// Lanes and words of AVX2: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside an AVX2 region after those, before vector_float.inl.hpp;
// generic_lanes.inl.hpp lists what each name means.

constexpr size_t kTileQueries = 2;  // 2 x 2 accumulators of two registers, 2 vectors, a weight: 13
constexpr size_t kTileVectors = 2;

static inline V v_scale2(V p, VI k, V) {
  const VI k1 = vi_half(k);
  return v_mul(v_mul(p, v_pow2(k1)), v_pow2(vi_sub(k, k1)));
}
static inline VI v_bits(V v) { return {_mm256_castps_si256(v.lo), _mm256_castps_si256(v.hi)}; }
static inline V v_of_bits(VI v) { return {_mm256_castsi256_ps(v.lo), _mm256_castsi256_ps(v.hi)}; }
static inline VI vi_load_i8_n(const int8_t* p, size_t n) {
  int8_t copy[16] = {};
  __builtin_memcpy(copy, p, n);
  return vi_load_i8(copy);
}
static inline VI vi_pair(VI even, VI odd) {
  return {_mm256_blend_epi16(even.lo, _mm256_slli_epi32(odd.lo, 16), 0xAA),
          _mm256_blend_epi16(even.hi, _mm256_slli_epi32(odd.hi, 16), 0xAA)};
}
static inline void vi_store_words_n(VI v, int16_t* p, size_t n) {
  const __m256i words =
      _mm256_permute4x64_epi64(_mm256_packs_epi32(v.lo, v.hi), _MM_SHUFFLE(3, 1, 2, 0));
  if (n >= 16) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), words);
  } else {
    __builtin_memcpy(p, &words, n * sizeof(int16_t));
  }
}
