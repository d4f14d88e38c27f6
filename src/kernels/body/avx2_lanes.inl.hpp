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
// Words of 32 bytes without sign: in the first of two registers the lower half of each 16, in the
// second the upper half, so that 16 elements, which share a sub-scale, stay in their 128 bits.
static inline VI unpack_words(__m256i bytes) {
  const __m256i zero = _mm256_setzero_si256();
  return {_mm256_unpacklo_epi8(bytes, zero), _mm256_unpackhi_epi8(bytes, zero)};
}
static inline __m256i join_words(__m256i high, __m256i low) {
  const __m256i value = _mm256_add_epi16(_mm256_slli_epi16(high, 7), low);
  return _mm256_sub_epi16(value, _mm256_set1_epi16(128 * 129));
}
static inline void join_q6_k(const int8_t* high, const int8_t* low, VI* values) {
  const __m256i offset = _mm256_set1_epi8(-128);  // 128 more in each plane: 128 * 129 in a value
  for (size_t i = 0; i < 2; ++i) {
    const auto* h = reinterpret_cast<const __m256i*>(high + 32 * i);
    const auto* l = reinterpret_cast<const __m256i*>(low + 32 * i);
    const VI upper = unpack_words(_mm256_xor_si256(_mm256_loadu_si256(h), offset));
    const VI lower = unpack_words(_mm256_xor_si256(_mm256_loadu_si256(l), offset));
    values[i] = {join_words(upper.lo, lower.lo), join_words(upper.hi, lower.hi)};
  }
}
// sub * code of a block's 256 elements. A half is 64 bytes of nibbles and 32 of pairs: quarter k of
// its elements has nibbles of the first 32 bytes (k even) or the others, the upper ones from k = 2
// on, and pair k.
static inline void unpack_q6_k(const uint8_t* block, VI* words) {
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i pair = _mm256_set1_epi8(48);
  const __m256i offset = _mm256_set1_epi16(32);
  const __m128i sub_bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 192));
  const __m256i subs = _mm256_cvtepi8_epi16(sub_bytes);
  const __m256i subs_low = _mm256_permute4x64_epi64(subs, 0x44);   // 0 to 7 in both halves
  const __m256i subs_high = _mm256_permute4x64_epi64(subs, 0xEE);  // 8 to 15
#pragma GCC unroll 2
  for (size_t half = 0; half < 2; ++half) {
    const auto* low = reinterpret_cast<const __m256i*>(block + 64 * half);
    const __m256i pairs =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 128 + 32 * half));
    const __m256i at_four[4] = {_mm256_slli_epi16(pairs, 4), _mm256_slli_epi16(pairs, 2), pairs,
                                _mm256_srli_epi16(pairs, 2)};
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; ++k) {
      const __m256i bytes = _mm256_loadu_si256(low + (k & 1));
      const __m256i nibbles = _mm256_and_si256(k < 2 ? bytes : _mm256_srli_epi16(bytes, 4), nibble);
      const VI u = unpack_words(_mm256_or_si256(nibbles, _mm256_and_si256(at_four[k], pair)));
      // Word 2k of the half's subs in the lower 128 bits, 2k + 1 in the upper.
      const auto at = static_cast<int16_t>(0x0100 + 0x0404 * k);
      const auto next = static_cast<int16_t>(0x0302 + 0x0404 * k);
      const __m256i which = _mm256_set_m128i(_mm_set1_epi16(next), _mm_set1_epi16(at));
      const __m256i sub = _mm256_shuffle_epi8(half == 0 ? subs_low : subs_high, which);
      words[4 * half + k] = {_mm256_mullo_epi16(_mm256_sub_epi16(u.lo, offset), sub),
                             _mm256_mullo_epi16(_mm256_sub_epi16(u.hi, offset), sub)};
    }
  }
}
