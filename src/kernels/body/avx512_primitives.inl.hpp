// The vectors of the AVX-512 tables: sixteen floats or integers in one register, under the names
// that the portable bodies use. Included inside an AVX-512 region, before every other body.

using V = __m512;
using VI = __m512i;

static inline __mmask16 first_n(size_t n) {
  return n >= 16 ? static_cast<__mmask16>(0xFFFF) : static_cast<__mmask16>((1u << n) - 1u);
}
static inline V v_zero() { return _mm512_setzero_ps(); }
static inline V v_set(float x) { return _mm512_set1_ps(x); }
static inline V v_load(const void* p) { return _mm512_loadu_ps(p); }
static inline V v_load_n(const void* p, size_t n) { return _mm512_maskz_loadu_ps(first_n(n), p); }
static inline void v_store(float* p, V v) { _mm512_storeu_ps(p, v); }
static inline void v_store_n(float* p, size_t n, V v) { _mm512_mask_storeu_ps(p, first_n(n), v); }
static inline V v_add(V a, V b) { return _mm512_add_ps(a, b); }
static inline V v_sub(V a, V b) { return _mm512_sub_ps(a, b); }
static inline V v_mul(V a, V b) { return _mm512_mul_ps(a, b); }
static inline V v_div(V a, V b) { return _mm512_div_ps(a, b); }
static inline V v_max(V a, V b) { return _mm512_max_ps(a, b); }
static inline V v_min(V a, V b) { return _mm512_min_ps(a, b); }
static inline float v_sqrt1(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
static inline V v_load_f16(const void* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
static inline V v_load_f16_n(const void* p, size_t n) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first_n(n), p));
}
static inline V bf16_to_v(__m256i bits) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}
static inline V v_load_bf16(const void* p) {
  return bf16_to_v(_mm256_loadu_si256(static_cast<const __m256i*>(p)));
}
static inline V v_load_bf16_n(const void* p, size_t n) {
  return bf16_to_v(_mm256_maskz_loadu_epi16(first_n(n), p));
}
static inline __m256i v_to_f16(V v) {
  return _mm512_maskz_cvtps_ph(first_n(16), v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
static inline void v_store_f16(uint16_t* p, V v) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v_to_f16(v));
}
static inline void v_store_f16_n(uint16_t* p, size_t n, V v) {
  _mm256_mask_storeu_epi16(p, first_n(n), v_to_f16(v));
}
static inline V v_keep_n(V v, size_t n) { return _mm512_maskz_mov_ps(first_n(n), v); }
static inline V v_gated(V g, V y) {
  return _mm512_mask_sub_ps(y, _mm512_cmp_ps_mask(g, _mm512_setzero_ps(), _CMP_LE_OQ), g, g);
}
static inline V v_nan_from(V v, V x) {
  return _mm512_mask_mov_ps(v, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}
static inline float v_tree(V v) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
static inline VI v_to_int(V v) { return _mm512_cvtps_epi32(v); }
static inline V v_from_int(VI v) { return _mm512_cvtepi32_ps(v); }
static inline V v_pow2(VI k) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(k, _mm512_set1_epi32(127)), 23));
}
static inline VI vi_zero() { return _mm512_setzero_si512(); }
static inline VI vi_half(VI k) { return _mm512_srai_epi32(k, 1); }
static inline VI vi_add(VI a, VI b) { return _mm512_add_epi32(a, b); }
static inline VI vi_sub(VI a, VI b) { return _mm512_sub_epi32(a, b); }
static inline VI v_abs_bits(V v) {
  return _mm512_and_si512(_mm512_castps_si512(v), _mm512_set1_epi32(0x7FFFFFFF));
}
static inline VI vi_max_u(VI a, VI b) { return _mm512_max_epu32(a, b); }
static inline uint32_t vi_reduce_max_u(VI v) { return _mm512_reduce_max_epu32(v); }
static inline int32_t vi_reduce_add(VI v) { return _mm512_reduce_add_epi32(v); }
static inline void vi_store_i8_n(VI v, int8_t* p, size_t n) {
  _mm512_mask_cvtepi32_storeu_epi8(p, first_n(n), v);
}
static inline VI vi_plane_high(VI v) {
  return _mm512_srai_epi32(_mm512_add_epi32(v, _mm512_set1_epi32(64)), 7);
}
static inline VI vi_times_128(VI v) { return _mm512_slli_epi32(v, 7); }
static inline VI vi_set(int32_t x) { return _mm512_set1_epi32(x); }
