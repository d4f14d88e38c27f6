// Lanes and words of AVX2: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside an AVX2 region after those, before vector_float.inl.hpp;
// attention_blocks.inl.hpp and vector_head.inl.hpp say what each name means.

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

// Words of heads: 32 int8 in order, two planes joined, and the blocks that are no plain bytes.
static inline VI vi_load_words(const void* p) {
  const auto* at = static_cast<const __m128i*>(p);
  return {_mm256_cvtepi8_epi16(_mm_loadu_si128(at)), _mm256_cvtepi8_epi16(_mm_loadu_si128(at + 1))};
}
static inline VI vi_join_planes(const int8_t* high, const int8_t* low) {
  const VI h = vi_load_words(high);
  const VI l = vi_load_words(low);
  return {_mm256_add_epi16(_mm256_slli_epi16(h.lo, 7), l.lo),
          _mm256_add_epi16(_mm256_slli_epi16(h.hi, 7), l.hi)};
}
static inline void vi_split(VI v, VI* high, VI* low) {
  const __m256i mask = _mm256_set1_epi32(0xFFFF);
  *high = {_mm256_srai_epi32(v.lo, 16), _mm256_srai_epi32(v.hi, 16)};
  *low = {_mm256_and_si256(v.lo, mask), _mm256_and_si256(v.hi, mask)};
}
// Elements 0-15 are the low nibbles, 16-31 the high ones.
static inline VI unpack_q4_0(const uint8_t* nibbles) {
  const __m256i words =
      _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(nibbles)));
  const __m256i eight = _mm256_set1_epi16(8);
  return {_mm256_sub_epi16(_mm256_and_si256(words, _mm256_set1_epi16(15)), eight),
          _mm256_sub_epi16(_mm256_srli_epi16(words, 4), eight)};
}
// Blocks of few bits (head_words.inl.hpp).
template <int kBits>
static inline VI vi_shift_right(VI v) {
  return {_mm256_srai_epi32(v.lo, kBits), _mm256_srai_epi32(v.hi, kBits)};
}
static inline VI vi_and(VI a, VI b) {
  return {_mm256_and_si256(a.lo, b.lo), _mm256_and_si256(a.hi, b.hi)};
}
static inline VI vi_multiply_words(VI a, VI b) {
  return {_mm256_mullo_epi16(a.lo, b.lo), _mm256_mullo_epi16(a.hi, b.hi)};
}
static inline VI vi_load_sixteen(const void* p) {
  const __m256i words = _mm256_loadu_si256(static_cast<const __m256i*>(p));
  return {words, _mm256_srli_epi16(words, 8)};
}
static inline VI vi_load_eight(const void* p) {
  const __m256i words =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(static_cast<const __m128i*>(p)));
  const __m256i both = _mm256_blend_epi32(words, _mm256_srli_epi16(words, 4), 0xF0);
  return {both, _mm256_srli_epi16(both, 8)};
}
