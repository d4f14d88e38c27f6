// Lanes and words of AVX-512: what attention and head rows need beside the primitives of
// vector_float.inl.hpp. Included inside the AVX-512 region after those, before
// vector_float.inl.hpp; generic_lanes.inl.hpp lists what each name means.

constexpr size_t kTileQueries =
    4;  // 4 x 4 accumulators, 4 vectors and a weight: 21 of 32 registers
constexpr size_t kTileVectors = 4;
constexpr int32_t kKeyOffset = 128;

static inline V v_scale2(V p, VI, V kf) { return _mm512_scalef_ps(p, kf); }
static inline VI vi_of_v(V v) { return _mm512_castps_si512(v); }
static inline VI vi_load(const void* p) { return _mm512_loadu_si512(p); }
static inline void vi_store(void* p, VI v) { _mm512_storeu_si512(p, v); }

// Rounds of pairs, of quads, then of 128-bit quarters.
static inline void v_transpose(V* r) {
  V a[16];
#pragma GCC unroll 8
  for (size_t i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  V b[16];
#pragma GCC unroll 4
  for (size_t i = 0; i < 16; i += 4) {
#pragma GCC unroll 2
    for (size_t h = 0; h < 2; ++h) {
      const __m512d low = _mm512_castps_pd(a[i + h]);
      const __m512d high = _mm512_castps_pd(a[i + 2 + h]);
      b[i + 2 * h] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      b[i + 2 * h + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (size_t i = 0; i < 4; ++i) {
    const V even_low = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
    const V odd_low = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xDD);
    const V even_high = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
    const V odd_high = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xDD);
    r[i] = _mm512_shuffle_f32x4(even_low, even_high, 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(even_low, even_high, 0xDD);
    r[i + 4] = _mm512_shuffle_f32x4(odd_low, odd_high, 0x88);
    r[i + 12] = _mm512_shuffle_f32x4(odd_low, odd_high, 0xDD);
  }
}

static inline VI vi_load_i8(const int8_t* p) {
  return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
static inline VI vi_load_i8_n(const int8_t* p, size_t n) {
  return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(first_n(n), p));
}
static inline VI vi_pair(VI even, VI odd) {
  return _mm512_mask_blend_epi16(0xAAAAAAAAu, even, _mm512_slli_epi32(odd, 16));
}
static inline VI vi_dot_words(VI acc, VI a, VI b) { return _mm512_dpwssd_epi32(acc, a, b); }
// Keys are unsigned here: 128 more than they are.
static inline VI vi_offset_keys(VI keys) { return _mm512_xor_si512(keys, _mm512_set1_epi8(-128)); }
static inline VI vi_dot_keys(VI acc, VI keys, VI codes) {
  return _mm512_dpbusd_epi32(acc, keys, codes);
}
static inline void vi_store_words_n(VI v, int16_t* p, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi16(p, first_n(n), v);
}
